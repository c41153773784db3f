"""klik: KOMBIT's KLIK re-created for Denmark's 98 municipalities."""
