"""Open Images photos -> photo pool: themes, geometry, selection, download, browsing."""
