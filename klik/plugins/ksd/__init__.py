KLIK_API = (1, 0)
