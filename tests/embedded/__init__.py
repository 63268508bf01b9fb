"""The embedded services and the supervision of processes, as a newcomer's machine meets them."""
