//! `cargo xtask layers`: which crate may depend on which, as a picture of the floors.
//!
//! A crate may use only crates of a lower floor, never sideways or up. The table below has all edges between our crates: an
//! edge that only the manifests have is an error, and so is one that only the table has.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use xtask::shell::{self, Result};

/// The floor of a crate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// On this floor.
    Floor(u8),
    /// Beside the floors: a tool for tests, or the automation. No crate on a floor is built on it.
    Beside,
}
use Place::{Beside, Floor};

/// One crate of the workspace: its name, its place and the crates of the workspace that it uses.
struct Room {
    name: &'static str,
    place: Place,
    uses: &'static [&'static str],
}

/// Every crate of the workspace and every edge between them.
const HOUSE: &[Room] = &[
    Room { name: "bencode", place: Floor(0), uses: &[] },
    Room { name: "ids", place: Floor(0), uses: &[] },
    Room { name: "guard", place: Floor(0), uses: &[] },
    Room { name: "metainfo", place: Floor(1), uses: &["bencode", "ids"] },
    Room { name: "tracker", place: Floor(1), uses: &["bencode", "guard", "ids"] },
    Room { name: "peer-wire", place: Floor(1), uses: &["bencode", "ids"] },
    Room { name: "mse", place: Floor(1), uses: &["ids"] },
    Room { name: "dht", place: Floor(1), uses: &["bencode", "guard", "ids"] },
    Room { name: "utp", place: Floor(1), uses: &[] },
    Room { name: "peer-session", place: Floor(2), uses: &["guard", "ids", "metainfo", "mse", "peer-wire"] },
    Room { name: "http-exchange", place: Floor(2), uses: &["guard"] },
    Room { name: "report", place: Floor(2), uses: &["dht", "guard", "ids", "metainfo", "peer-wire", "tracker"] },
    Room { name: "tracker-http", place: Floor(3), uses: &["guard", "http-exchange", "tracker"] },
    Room { name: "tracker-udp", place: Floor(3), uses: &["guard", "tracker"] },
    Room { name: "web-seed", place: Floor(3), uses: &["guard", "http-exchange", "ids", "tracker"] },
    Room {
        name: "client",
        place: Floor(4),
        uses: &[
            "dht",
            "guard",
            "http-exchange",
            "ids",
            "metainfo",
            "mse",
            "peer-session",
            "peer-wire",
            "report",
            "tracker",
            "tracker-http",
            "tracker-udp",
            "utp",
            "web-seed",
        ],
    },
    Room { name: "history", place: Floor(5), uses: &["ids", "report", "tracker"] },
    Room { name: "pages", place: Floor(5), uses: &["guard", "ids", "report"] },
    Room {
        name: "cli",
        place: Floor(7),
        uses: &["client", "guard", "history", "ids", "metainfo", "pages", "peer-wire", "report", "tracker"],
    },
    Room { name: "fake-swarm", place: Beside, uses: &["utp"] },
    Room {
        name: "lab",
        place: Beside,
        uses: &["fake-swarm", "history", "ids", "metainfo", "report", "tracker", "xtask"],
    },
    Room { name: "xtask", place: Beside, uses: &[] },
];

/// Crates below the floor where I/O begins.
pub(crate) const WITHOUT_IO: &[&str] =
    &["bencode", "guard", "ids", "metainfo", "tracker", "peer-wire", "mse", "dht", "utp"];

/// Crates that those must not depend on, directly or indirectly.
const IO: &[&str] = &["tokio", "hyper"];

/// Foreign crates that only the listed crates may depend on directly.
const ONLY_UNDER: &[(&str, &[&str])] = &[
    ("nom", &["bencode"]),
    ("hyper", &["http-exchange", "fake-swarm", "hyper-util"]),
    ("hyper-util", &["http-exchange", "fake-swarm"]),
    ("tokio-rustls", &["http-exchange"]),
    ("rusqlite", &["history"]),
];

/// Packages and their normal dependencies, by name.
#[derive(Default)]
struct Graph {
    /// The workspace's own packages.
    members: BTreeSet<String>,
    /// Normal edges of every package, ours and foreign.
    uses: BTreeMap<String, BTreeSet<String>>,
}

/// Reads the manifests and checks them against the table.
pub(crate) fn run() -> Result {
    let json = shell::output(&mut shell::cargo(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&json).map_err(|error| format!("cargo metadata: {error}"))?;
    let graph = Graph::from_metadata(&metadata).ok_or("cargo metadata: unknown format")?;
    let wrong = check(&graph, HOUSE);
    if !wrong.is_empty() {
        return Err(format!("layers:\n  {}", wrong.join("\n  ")));
    }
    print!("{}", picture(HOUSE));
    Ok(())
}

/// The floors, the highest first, each with its crates and what they use.
fn picture(house: &[Room]) -> String {
    let mut rooms: Vec<&Room> = house.iter().collect();
    rooms.sort_by_key(|room| match room.place {
        Floor(floor) => u8::MAX - floor,
        Beside => u8::MAX,
    });
    let mut picture = String::new();
    let mut last = None;
    for room in rooms {
        let place = match room.place {
            Floor(floor) => format!("floor {floor}"),
            Beside => "beside".to_owned(),
        };
        let place = if last == Some(room.place) { String::new() } else { place };
        last = Some(room.place);
        let line = format!("{place:<9} {:<14} {}", room.name, room.uses.join(" "));
        picture.push_str(line.trim_end());
        picture.push('\n');
    }
    picture
}

impl Graph {
    /// The graph in the output of `cargo metadata`.
    fn from_metadata(metadata: &Value) -> Option<Self> {
        let mut names = HashMap::new();
        for package in metadata["packages"].as_array()? {
            names.insert(package["id"].as_str()?, package["name"].as_str()?);
        }
        let mut graph = Graph::default();
        for id in metadata["workspace_members"].as_array()? {
            graph.members.insert((*names.get(id.as_str()?)?).to_owned());
        }
        for node in metadata.pointer("/resolve/nodes")?.as_array()? {
            let from = *names.get(node["id"].as_str()?)?;
            // Two versions of one name share an entry: the rules are by name.
            let uses = graph.uses.entry(from.to_owned()).or_default();
            for dep in node["deps"].as_array()?.iter().filter(|dep| is_normal(dep)) {
                uses.insert((*names.get(dep["pkg"].as_str()?)?).to_owned());
            }
        }
        Some(graph)
    }

    /// The normal dependencies of one package.
    fn uses(&self, name: &str) -> impl Iterator<Item = &str> {
        self.uses.get(name).into_iter().flatten().map(String::as_str)
    }

    /// All normal dependencies of these packages, direct and indirect, with themselves.
    fn reachable<'a>(&'a self, from: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut reached: BTreeSet<&str> = from.collect();
        let mut open: Vec<&str> = reached.iter().copied().collect();
        while let Some(here) = open.pop() {
            open.extend(self.uses(here).filter(|next| reached.insert(*next)));
        }
        reached
    }

    /// A path from a package to another, with both ends; `None` if there is none.
    fn way<'a>(&'a self, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
        let mut came_from = BTreeMap::from([(from, from)]);
        let mut open = vec![from];
        while let Some(here) = open.pop() {
            for next in self.uses(here) {
                if came_from.contains_key(next) {
                    continue;
                }
                came_from.insert(next, here);
                open.push(next);
            }
        }
        let (mut here, _) = came_from.get_key_value(to)?;
        let mut way = vec![*here];
        while *here != from {
            here = came_from.get(here)?;
            way.push(here);
        }
        way.reverse();
        Some(way)
    }
}

/// Whether an edge of the resolved graph is a normal one: not for tests or build scripts.
fn is_normal(dep: &Value) -> bool {
    dep["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
}

/// Everything in which graph and table differ, and every edge that breaks a rule.
fn check(graph: &Graph, house: &[Room]) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in &graph.members {
        match house.iter().find(|room| room.name == name) {
            Some(room) => wrong.extend(check_room(graph, house, room)),
            None => wrong.push(format!("{name}: is on no floor; give it one in the table")),
        }
    }
    for room in house.iter().filter(|room| !graph.members.contains(room.name)) {
        wrong.push(format!("{}: is in the table and not in the workspace", room.name));
    }
    wrong.extend(check_io(graph));
    wrong.extend(check_only_under(graph));
    wrong
}

/// Checks the edges of one crate of the workspace.
fn check_room(graph: &Graph, house: &[Room], room: &Room) -> Vec<String> {
    let mut wrong = Vec::new();
    let edges: Vec<&str> = graph.uses(room.name).filter(|to| graph.members.contains(*to)).collect();
    for to in &edges {
        if let Some(used) = house.iter().find(|other| other.name == *to)
            && let Some(fault) = fault(room.place, used.place)
        {
            wrong.push(format!("{} -> {to}: {fault}", room.name));
        }
        if !room.uses.contains(to) {
            wrong.push(format!("{} -> {to}: is not in the table of allowed edges", room.name));
        }
    }
    for to in room.uses.iter().filter(|to| !edges.contains(to)) {
        wrong.push(format!("{} -> {to}: stale, the table has it and the manifest does not", room.name));
    }
    wrong
}

/// What is wrong with an edge between two places, if anything.
fn fault(from: Place, to: Place) -> Option<&'static str> {
    match (from, to) {
        (Floor(from), Floor(to)) if to > from => Some("goes up"),
        (Floor(from), Floor(to)) if to == from => Some("goes sideways"),
        (Floor(_), Beside) => Some("a crate beside the floors may only be a dev-dependency"),
        _ => None,
    }
}

/// The paths by which crates without I/O depend on a crate with I/O.
fn check_io(graph: &Graph) -> Vec<String> {
    let pairs = WITHOUT_IO.iter().flat_map(|from| IO.iter().map(move |to| (from, to)));
    let ways = pairs.filter_map(|(from, to)| graph.way(from, to));
    ways.map(|way| format!("{}: below the floor of I/O", way.join(" -> "))).collect()
}

/// Direct dependencies on foreign crates that only others may have. Crates that only tests depend on are not checked.
fn check_only_under(graph: &Graph) -> Vec<String> {
    let mut wrong = Vec::new();
    let ours = graph.reachable(graph.members.iter().map(String::as_str));
    for (foreign, allowed) in ONLY_UNDER {
        for from in ours.iter().filter(|from| !allowed.contains(from)) {
            if graph.uses(from).any(|to| to == *foreign) {
                wrong.push(format!("{from} -> {foreign}: only {} may use {foreign}", allowed.join(", ")));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &[Room] = &[
        Room { name: "bencode", place: Floor(0), uses: &[] },
        Room { name: "ids", place: Floor(0), uses: &[] },
        Room { name: "metainfo", place: Floor(1), uses: &["bencode"] },
        Room { name: "fake-swarm", place: Beside, uses: &[] },
        Room { name: "xtask", place: Beside, uses: &["fake-swarm"] },
    ];

    /// The edges in the manifests of `SMALL`.
    const GOOD: &[(&str, &str)] =
        &[("metainfo", "bencode"), ("bencode", "nom"), ("xtask", "fake-swarm"), ("fake-swarm", "hyper")];

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph { members: SMALL.iter().map(|room| room.name.to_owned()).collect(), ..Graph::default() };
        for (from, to) in GOOD.iter().chain(edges) {
            graph.uses.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    }

    #[test]
    fn a_good_graph_passes() {
        assert_eq!(check(&graph(&[]), SMALL), Vec::<String>::new());
    }

    #[test]
    fn each_broken_rule_is_found() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("metainfo", "ids")], "metainfo -> ids: is not in the table"),
            (&[("bencode", "metainfo")], "bencode -> metainfo: goes up"),
            (&[("ids", "bencode")], "ids -> bencode: goes sideways"),
            (&[("metainfo", "fake-swarm")], "only be a dev-dependency"),
            (&[("ids", "helper"), ("helper", "tokio")], "ids -> helper -> tokio: below the floor of I/O"),
            (&[("metainfo", "nom")], "metainfo -> nom: only bencode may use nom"),
            (&[("ids", "foreign"), ("foreign", "hyper-util")], "foreign -> hyper-util: only"),
        ];
        for (edges, expected) in cases {
            let wrong = check(&graph(edges), SMALL);
            assert!(wrong.iter().any(|line| line.contains(expected)), "{edges:?} gave {wrong:?}");
        }
    }

    #[test]
    fn crates_that_only_tests_depend_on_are_not_checked() {
        assert_eq!(check(&graph(&[("foreign", "nom")]), SMALL), Vec::<String>::new());
    }

    #[test]
    fn hyper_util_may_use_hyper() {
        assert_eq!(
            check(&graph(&[("fake-swarm", "hyper-util"), ("hyper-util", "hyper")]), SMALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_stale_edge_is_found() {
        let mut graph = graph(&[]);
        graph.uses.remove("metainfo");
        assert_eq!(check(&graph, SMALL), ["metainfo -> bencode: stale, the table has it and the manifest does not"]);
    }

    #[test]
    fn members_and_table_agree() {
        let mut graph = graph(&[]);
        graph.members.remove("ids");
        graph.members.insert("newcomer".to_owned());
        assert_eq!(check(&graph, SMALL).len(), 2);
    }

    #[test]
    fn metadata_keeps_only_normal_edges() {
        let metadata = serde_json::json!({
            "packages": [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}, {"id": "3", "name": "c"}],
            "workspace_members": ["1"],
            "resolve": {"nodes": [
                {"id": "1", "deps": [
                    {"pkg": "2", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
                    {"pkg": "3", "dep_kinds": [{"kind": "dev"}]},
                ]},
                {"id": "2", "deps": []},
            ]},
        });
        let graph = Graph::from_metadata(&metadata).unwrap();
        assert_eq!(graph.members, BTreeSet::from(["a".to_owned()]));
        assert_eq!(graph.uses("a").collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn the_edges_of_the_table_go_down() {
        for room in HOUSE {
            for used in room.uses {
                let used = HOUSE.iter().find(|other| other.name == *used).unwrap();
                assert_eq!(fault(room.place, used.place), None, "{} -> {}", room.name, used.name);
            }
        }
    }
}
