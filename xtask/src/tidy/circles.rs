//! No circles of files: files of a crate that depend on each other, directly or through others, cannot be read separately.
//!
//! An edge is a path from `crate`, `super` or `self` to another file of the crate, or a `pub use` of a child's item, outside
//! code for tests. No edges: `mod`, and other names of its own children in a parent; the exports of the crate root.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Crate, Reference};

/// Edges that may close a circle: from, to, and the reason. Only type aliases belong here.
const ALLOWED: &[(&str, &str, &str)] = &[];

/// Files, the files that each depends on, and the line of the path.
type Edges<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

/// Each circle of a crate's files, with the edges inside it.
pub(super) fn complaints(of: &Crate) -> Vec<String> {
    let edges = edges(of);
    circles(&edges).iter().map(|circle| shown(circle, &edges)).collect()
}

fn edges(of: &Crate) -> Edges<'_> {
    let mut edges = Edges::new();
    let counts = |found: &Reference<'_>| {
        !found.is_test && if found.is_export { found.file != of.root } else { found.is_anchored() }
    };
    for found in of.references().filter(counts) {
        let is_allowed = ALLOWED.iter().any(|(from, to, _)| *from == found.file && *to == found.home_file);
        if found.file != found.home_file && !is_allowed {
            edges.entry(found.file).or_default().entry(found.home_file).or_insert(found.line);
        }
    }
    edges
}

/// The sets of two or more files of which each reaches all others (strongly connected components).
fn circles<'a>(edges: &Edges<'a>) -> Vec<BTreeSet<&'a str>> {
    let reached: BTreeMap<&str, BTreeSet<&'a str>> = edges.keys().map(|file| (*file, reachable(edges, file))).collect();
    let is_reached = |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let mut found: Vec<BTreeSet<&str>> = Vec::new();
    for file in edges.keys().filter(|file| is_reached(file, file)) {
        if !found.iter().any(|circle| circle.contains(file)) {
            found.push(
                edges.keys().copied().filter(|other| is_reached(file, other) && is_reached(other, file)).collect(),
            );
        }
    }
    found
}

fn reachable<'a>(edges: &Edges<'a>, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(here) = open.pop() {
        open.extend(edges.get(here).into_iter().flatten().map(|(to, _)| *to).filter(|to| reached.insert(*to)));
    }
    reached
}

fn shown(circle: &BTreeSet<&str>, edges: &Edges<'_>) -> String {
    let inside =
        circle.iter().flat_map(|from| edges.get(from).into_iter().flatten().map(move |(to, line)| (from, to, line)));
    let inside = inside.filter(|(_, to, _)| circle.contains(*to));
    let lines: Vec<String> = inside.map(|(from, to, line)| format!("\n    {from}:{line} -> {to}")).collect();
    format!("a circle of {} files:{}", circle.len(), lines.concat())
}

#[cfg(test)]
mod tests {
    use super::super::modules::tests::made_up;
    use super::*;

    #[test]
    fn a_circle_is_shown_with_its_edges() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; mod d; pub use a::A;"),
            ("a.rs", "use crate::b::B;\npub struct A;"),
            ("b.rs", "\nuse crate::c::C;\nuse crate::d::D;"),
            ("c.rs", "fn f() -> super::a::A {}"),
            ("d.rs", "pub struct D;\n#[cfg(test)] mod tests { use crate::b::B; }"),
        ];
        let edges =
            ["a.rs:1 -> src/b.rs", "b.rs:2 -> src/c.rs", "c.rs:1 -> src/a.rs"].map(|edge| format!("\n    src/{edge}"));
        assert_eq!(complaints(&made_up(&files)), [format!("a circle of 3 files:{}", edges.concat())]);
    }

    #[test]
    fn a_parent_may_name_its_children_unless_it_exports_them() {
        let circles = |parent: &str| {
            let files = [("lib.rs", "mod a;"), ("a.rs", parent), ("a/b.rs", "use super::A;")];
            complaints(&made_up(&files)).len()
        };
        assert_eq!(circles("mod b; use b::B; struct A(b::Other);"), 0);
        assert_eq!(circles("mod b; pub(crate) use b::B; struct A;"), 1);
        // A child's import of another child's item through the parent is an edge to the other child, not to the parent.
        let files = [
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; mod c; pub use c::C;"),
            ("a/b.rs", "use super::C;"),
            ("a/c.rs", ""),
        ];
        assert_eq!(complaints(&made_up(&files)), Vec::<String>::new());
    }
}
