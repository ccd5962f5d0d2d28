//! fake-swarm
