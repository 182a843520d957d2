"""Make objects of plain data and text: the hooks, and what is compiled."""
