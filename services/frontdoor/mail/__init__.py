"""The mail door: SMTP in, one DepositLetters call per letter, and the answer that is a promise."""
