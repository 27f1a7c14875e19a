"""The console's pages in a real browser, against a stand-in that speaks the API."""
