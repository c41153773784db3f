"""The pages of newsletters: the archive, the editor, sending with its account, and signing up or leaving."""
