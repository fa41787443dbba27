//! What people paste, made plain.
