"""Open Images photos -> photo pool: themes, geometry, selection, download, a look at them.

What others call, all else being free to change:

- `filtering.filter.filter_photos`: choose photos by theme and geometry; write the pool.
- `filtering.sample.sample_pool`: draw a smaller pool, theme by theme.
- `filtering.download.download`: fetch the pool's pictures into a folder.
- `filtering.curate.curate`: leave photos out of a pool, and count why.
- `filtering.contact_sheet.contact_sheet`: draw photos with their boxes on one sheet.
- `filtering.browse.browse`: make a FiftyOne dataset of a pool to look through.
"""
