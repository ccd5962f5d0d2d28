//! tracker-http
