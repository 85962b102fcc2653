"""All that is drawn, a module a picture."""
