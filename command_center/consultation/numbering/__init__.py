"""The dial plan of each centre: aliases, prefixes, and where numbers lead, in and out."""
