//! Properties that hold for every input, as functions from bytes that panic where one does not: a module and a line of
//! [`TARGETS`] for each target. libFuzzer runs them on a nightly toolchain (`fuzz_targets`), `tests/replay.rs` on any.
//!
//! A new target takes `src/<name>.rs` with its `check`, two lines here, `fuzz_targets/<name>.rs` with its line in
//! `Cargo.toml`, and a corpus in `fixtures/fuzz/<name>`.

mod memory;
mod model;
pub mod mutator;
mod source;

pub mod announce;
pub mod bencode;
pub mod conversation;
pub mod escape;
pub mod extension_handshake;
pub mod handshake;
pub mod krpc;
pub mod lookup;
pub mod magnet;
pub mod messages;
pub mod metadata_message;
pub mod metainfo;
pub mod mse;
pub mod peer_id;
pub mod pex_message;
pub mod scrape;
pub mod tracker_url;
pub mod udp;
pub mod utp;
pub mod utp_packet;
pub mod web_seed;

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "announce", check: announce::check },
    Target { name: "bencode", check: bencode::check },
    Target { name: "conversation", check: conversation::check },
    Target { name: "escape", check: escape::check },
    Target { name: "extension_handshake", check: extension_handshake::check },
    Target { name: "handshake", check: handshake::check },
    Target { name: "krpc", check: krpc::check },
    Target { name: "lookup", check: lookup::check },
    Target { name: "magnet", check: magnet::check },
    Target { name: "messages", check: messages::check },
    Target { name: "metadata_message", check: metadata_message::check },
    Target { name: "metainfo", check: metainfo::check },
    Target { name: "mse", check: mse::check },
    Target { name: "peer_id", check: peer_id::check },
    Target { name: "pex_message", check: pex_message::check },
    Target { name: "scrape", check: scrape::check },
    Target { name: "tracker_url", check: tracker_url::check },
    Target { name: "udp", check: udp::check },
    Target { name: "utp", check: utp::check },
    Target { name: "utp_packet", check: utp_packet::check },
    Target { name: "web_seed", check: web_seed::check },
];

/// A fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name of the target, and of its corpus in `fixtures/fuzz`.
    pub name: &'static str,
    /// Panics if a property does not hold for the input.
    pub check: fn(&[u8]),
}

/// Defines libFuzzer's entry points for a target.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! libfuzzer {
    ($name:ident) => {
        libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::$name::check(input));

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            // Half of the mutations are libFuzzer's own, which are guided by the comparisons in the code.
            if seed % 2 == 0 {
                return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
            }
            let input = data[..size].to_vec();
            $crate::mutator::mutate_into(data, &input, &input, seed)
        });

        libfuzzer_sys::fuzz_crossover!(|input: &[u8], donor: &[u8], out: &mut [u8], seed: u32| {
            $crate::mutator::mutate_into(out, input, donor, seed)
        });
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_target_has_a_binary_and_a_corpus() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap();
        for Target { name, .. } in TARGETS {
            assert!(manifest.contains(&format!(r#"{{ name = "{name}", path = "fuzz_targets/{name}.rs","#)), "{name}");
            assert!(package.join("../../fixtures/fuzz").join(name).is_dir(), "{name}");
        }
        assert_eq!(manifest.matches("fuzz_targets/").count(), TARGETS.len());
    }
}
