"""Who may do what: ACLs, CORS rules, and one decision with its reasons. Knows no HTTP and no storage."""
