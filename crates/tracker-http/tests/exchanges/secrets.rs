//! No error shows a secret of the URL, neither it nor any of its causes, neither to people nor to a log.
