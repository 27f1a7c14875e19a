"""The resource library: teams, depots and stock, with who holds them until when."""
