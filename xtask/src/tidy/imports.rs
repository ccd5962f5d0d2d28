//! Inside a crate a path names the module that defines an item, never the crate root that re-exports it: then an import shows
//! which file depends on which.

use super::modules::Crate;

/// Each path of a crate that leads through a re-export of its root.
pub(super) fn complaints(of: &Crate) -> Vec<String> {
    let mut found = Vec::new();
    for path in of.references().filter(|path| path.is_through_root && path.is_anchored()) {
        let item = path.path.rsplit("::").next().unwrap_or_default();
        found.push(format!(
            "{}:{}: `{}` is `{}::{item}`: name the home module",
            path.file, path.line, path.path, path.home
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::modules::tests::made_up;
    use super::*;

    #[test]
    fn paths_through_exports_of_the_root_are_complaints() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A; pub struct Own;\nmod tests { use super::A; }"),
            ("a.rs", "pub struct A;\nfn f() -> crate::A {}"),
            ("b.rs", "use crate::{Own, A, a};\nuse super::A as Other;\nuse crate::a::A as Third;\nuse crate::*;"),
        ];
        let expected = [
            "src/a.rs:2: `crate::A` is `crate::a::A`: name the home module",
            "src/b.rs:1: `crate::A` is `crate::a::A`: name the home module",
            "src/b.rs:2: `super::A` is `crate::a::A`: name the home module",
            "src/b.rs:4: `crate::*` is `crate::*`: name the home module",
        ];
        assert_eq!(complaints(&made_up(&files)), expected);
    }
}
