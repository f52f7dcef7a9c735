"""The Telegram room: letters by chat, receipts back. It keeps nothing; each update is confirmed after its work."""
