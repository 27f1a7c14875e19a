"""One map: what the province has, drawn and listed from the libraries of every room."""
