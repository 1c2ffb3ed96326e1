"""Open Images photos -> photo pool: themes, geometry, selection, download, a look at them."""
