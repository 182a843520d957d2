"""Plans: where each value comes from, decided before anything is built."""
