"""Photo pool -> raw dialogues: two strangers chat, one of them shares a photo (section 3.2).

What others call, all else being free to change:

- `collection.campaign.load_campaign`: read a campaign's file.
- `collection.server.create_app`: make the chat server of a campaign.
- `collection.serve.serve`: run it until it is stopped.
- `collection.export.export`: write the dialogues that have ended.
- `collection.simulate.run.simulate`: have bots chat on a server as workers would.
- `collection.recruiting.launch.launch`: post a campaign's tasks on a platform.
- `collection.recruiting.extend.extend`: post more of them.
- `collection.recruiting.status.status_of`: say how far a campaign is.
- `collection.recruiting.close.close`: take its postings down.
- `collection.money.carry_out.carry_out`: pay what has been decided, once.
- `collection.synthetic.make.make_dialogues`: have a language model write dialogues.
"""
