<!DOCTYPE html>
<html><body>Log in</body></html>
