"""Who is acting, and how sure are we: trusted profiles, tokens, chats, officers. Never sees a letter."""
