//! peer-wire
