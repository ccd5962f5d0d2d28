//! The ten runs that a reader should understand at once.
