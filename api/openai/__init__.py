"""OpenAI's API over the collections: for clients that exist, as they are."""
