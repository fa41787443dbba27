//! Plain text to canonical value, one function for each kind.
