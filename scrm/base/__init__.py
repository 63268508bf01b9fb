"""No domain words: user, clock, durable work, announcements, limits, signing, audit."""
