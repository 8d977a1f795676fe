SELECT sequence::text, goes_on_from FROM freshet.raise_sequences()
