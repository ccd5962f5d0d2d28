//! The modules of one crate, and the paths that each of them names: imports and paths in code, resolved to the file where the
//! named item is defined.

use std::collections::{BTreeMap, HashMap};

use super::tokens::{Token, tokens};

/// The modules of one crate by their paths; the root is `crate`.
pub(super) struct Crate {
    /// The file of the root, `lib.rs` or `main.rs`.
    pub(super) root: String,
    modules: BTreeMap<String, Module>,
}

/// One module: a file, or `mod name { … }` in one.
#[derive(Default)]
struct Module {
    file: String,
    /// The paths that its imports bind, as written, by name.
    bound: HashMap<String, Vec<String>>,
    mentions: Vec<Mention>,
}

/// A path that a module names.
struct Mention {
    path: Vec<String>,
    line: usize,
    is_export: bool,
    /// Whether it is in code for tests only.
    is_test: bool,
}

/// A `use` path or a path in code, and the module that defines the item it names.
pub(super) struct Reference<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    /// As written.
    pub(super) path: String,
    pub(super) is_test: bool,
    /// `pub use`, also `pub(crate) use` and the like.
    pub(super) is_export: bool,
    /// The module that defines the item, and its file.
    pub(super) home: String,
    pub(super) home_file: &'a str,
    /// Whether it was reached through an import or export of the root.
    pub(super) is_through_root: bool,
}

impl Reference<'_> {
    /// Whether it begins with `crate`, `super` or `self`; otherwise with a name that the module declares or imports.
    pub(super) fn is_anchored(&self) -> bool {
        ["crate::", "super::", "self::"].iter().any(|start| self.path.starts_with(start))
    }
}

/// Where a path leads inside the crate: a module, or an item of it.
struct Target {
    module: String,
    is_item: bool,
    is_through_root: bool,
}

/// The path of the root module.
const ROOT: &str = "crate";

/// The longest chain of re-exports that is followed.
const LONGEST_CHAIN: usize = 16;

impl Crate {
    /// Reads the crate whose root is this file, out of all files by path.
    pub(super) fn read(root: &str, files: &BTreeMap<String, String>) -> Self {
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut modules = BTreeMap::new();
        let mut open = vec![(ROOT.to_owned(), root.to_owned(), false)];
        while let Some((name, file, is_test)) = open.pop() {
            let tokens = files.get(&file).map(|text| tokens(text)).unwrap_or_default();
            let mut reader =
                Reader { tokens: &tokens, at: 0, file, name, is_test, modules: &mut modules, declared: Vec::new() };
            reader.block(false);
            for (name, is_test) in reader.declared {
                let path = format!("{folder}{}", name.strip_prefix(ROOT).unwrap_or_default().replace("::", "/"));
                let candidates = [format!("{path}.rs"), format!("{path}/mod.rs")];
                let found = candidates.into_iter().find(|path| files.contains_key(path));
                open.extend(found.map(|file| (name, file, is_test)));
            }
        }
        Self { root: root.to_owned(), modules }
    }

    /// Every path that leads to an item or a module of this crate.
    pub(super) fn references(&self) -> impl Iterator<Item = Reference<'_>> {
        self.modules.iter().flat_map(move |(name, module)| {
            module.mentions.iter().filter_map(move |mention| {
                let target = self.resolve(name, &mention.path, LONGEST_CHAIN)?;
                Some(Reference {
                    file: &module.file,
                    line: mention.line,
                    path: mention.path.join("::"),
                    is_test: mention.is_test,
                    is_export: mention.is_export,
                    home_file: &self.modules.get(&target.module)?.file,
                    home: target.module,
                    is_through_root: target.is_through_root && module.file != self.root,
                })
            })
        })
    }

    /// The target of a path that this module names; `None` if it is in another crate.
    fn resolve(&self, from: &str, path: &[String], chain: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let module = |module: &str| Some(Target { module: module.to_owned(), is_item: false, is_through_root: false });
        let parent = |name: &str| module(name.rsplit_once("::")?.0);
        let first = match first.as_str() {
            "crate" => module(ROOT),
            "self" => module(from),
            "super" => parent(from),
            // An item of this module is in no other file, and an unknown name is in another crate.
            name => self.member(from, name, chain).filter(|found| found.module != from || !found.is_item),
        };
        rest.iter().try_fold(first?, |reached, name| match name.as_str() {
            _ if reached.is_item => Some(reached),
            "super" => parent(&reached.module),
            // `*` is the module itself.
            "*" => Some(Target { is_through_root: reached.module == ROOT, ..reached }),
            name => {
                let next = self.member(&reached.module, name, chain)?;
                Some(Target { is_through_root: next.is_through_root || reached.is_through_root, ..next })
            }
        })
    }

    /// The target of a name in a module: a module below it, the target of an import, or else an item that it defines.
    fn member(&self, module: &str, name: &str, chain: usize) -> Option<Target> {
        let child = format!("{module}::{name}");
        if self.modules.contains_key(&child) {
            return Some(Target { module: child, is_item: false, is_through_root: false });
        }
        let Some(path) = self.modules.get(module)?.bound.get(name) else {
            return Some(Target { module: module.to_owned(), is_item: true, is_through_root: false });
        };
        let found = self.resolve(module, path, chain.checked_sub(1)?)?;
        Some(Target { is_through_root: module == ROOT || found.is_through_root, ..found })
    }
}

/// Reads the tokens of one file.
struct Reader<'a> {
    tokens: &'a [Token<'a>],
    /// The token that is read next.
    at: usize,
    file: String,
    /// The path of the module that is being read.
    name: String,
    is_test: bool,
    modules: &'a mut BTreeMap<String, Module>,
    /// Modules in files of their own, and whether they are for tests.
    declared: Vec<(String, bool)>,
}

impl<'a> Reader<'a> {
    /// Reads up to the end of a bracket or the file. Imports in bodies bind nothing in the module.
    fn block(&mut self, is_body: bool) {
        self.module();
        let outside = self.is_test;
        while let Some(token) = self.next() {
            match token.text {
                "}" | ")" | "]" => break,
                "#" if (1..).zip(["cfg", "(", "test", ")"]).all(|(at, text)| self.peek(at) == text) => {
                    self.is_test = true;
                    continue;
                }
                // Parts of a signature or an attribute: the item goes on after them.
                "(" | "[" => {
                    self.block(true);
                    continue;
                }
                "{" => self.block(true),
                "mod" => self.mod_item(),
                "use" => self.use_item(is_body),
                ";" | "," => {}
                _ => {
                    self.path(token);
                    continue;
                }
            }
            // An attribute is for the one item after it.
            self.is_test = outside;
        }
        self.is_test = outside;
    }

    /// The module that is being read.
    fn module(&mut self) -> &mut Module {
        let new = || Module { file: self.file.clone(), ..Module::default() };
        self.modules.entry(self.name.clone()).or_insert_with(new)
    }

    /// `mod name;` or `mod name { … }`, whose keyword has been read.
    fn mod_item(&mut self) {
        let child = format!("{}::{}", self.name, self.peek(0));
        self.at += 2;
        if self.behind(1) == "{" {
            let outer = std::mem::replace(&mut self.name, child);
            self.block(false);
            self.name = outer;
        } else {
            self.declared.push((child, self.is_test));
        }
    }

    /// `use …;`, whose keyword has been read.
    fn use_item(&mut self, is_body: bool) {
        // `use<'a>` in a type is another thing.
        if self.peek(0) != "<" {
            let is_export = matches!(self.behind(2), "pub" | ")");
            self.use_tree(&[], is_export, is_body);
            // The semicolon.
            self.at += 1;
        }
    }

    /// One path of an import, or several in braces.
    fn use_tree(&mut self, before: &[String], is_export: bool, is_body: bool) {
        let mut path = before.to_vec();
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        loop {
            match self.next().map(|token| token.text) {
                Some("{") => {
                    while !matches!(self.peek(0), "}" | "") {
                        self.use_tree(&path, is_export, is_body);
                        self.at += usize::from(self.peek(0) == ",");
                    }
                    self.at += 1;
                    return;
                }
                Some("::") => {}
                Some(name) => {
                    path.push(name.to_owned());
                    if self.peek(0) != "::" {
                        break;
                    }
                }
                None => return,
            }
        }
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if self.peek(0) == "as" {
            name = self.peek(1).to_owned();
            self.at += 2;
        }
        let mention = Mention { path, line, is_export, is_test: self.is_test };
        let module = self.module();
        if !is_body && name != "*" && mention.path != [name.as_str()] {
            module.bound.insert(name, mention.path.clone());
        }
        module.mentions.push(mention);
    }

    /// A path in code, which begins with this token.
    fn path(&mut self, first: Token<'a>) {
        // A field, a macro's own crate, `pub(in …)`.
        let is_other = matches!(self.behind(2), "." | "$") || (self.behind(2) == "in" && self.behind(4) == "pub");
        let mut path = vec![first.text.to_owned()];
        while self.peek(0) == "::" && self.peek(1).starts_with(|c: char| c.is_alphabetic() || c == '_') {
            path.push(self.peek(1).to_owned());
            self.at += 2;
        }
        if path.len() > 1 && !is_other {
            let mention = Mention { path, line: first.line, is_export: false, is_test: self.is_test };
            self.module().mentions.push(mention);
        }
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    /// The token after the next `ahead` ones.
    fn peek(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    /// The token that was read `back` tokens ago; 1 is the last one.
    fn behind(&self, back: usize) -> &'a str {
        self.at.checked_sub(back).and_then(|at| self.tokens.get(at)).map_or("", |token| token.text)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A crate of made-up files below `src`, the root first.
    pub(in super::super) fn made_up(files: &[(&str, &str)]) -> Crate {
        let files = files.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned())).collect();
        Crate::read("src/lib.rs", &files)
    }

    /// The paths of the crate that lead to another file than they stand in: path, home.
    fn led(files: &[(&str, &str)]) -> Vec<(String, String)> {
        let read = made_up(files);
        let others = read.references().filter(|found| found.file != found.home_file);
        others.map(|found| (found.path, found.home.to_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(path, home)| ((*path).to_owned(), (*home).to_owned())).collect()
    }

    #[test]
    fn exports_are_followed_to_the_defining_file() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\npub use a::inner::Item;"),
            ("a.rs", "pub(crate) mod inner;\npub(crate) use inner::Item as Renamed;"),
            ("a/inner.rs", "pub struct Item;"),
            ("b.rs", "use crate::{Item, a::Renamed};\nuse std::fs;"),
        ];
        let inner = "crate::a::inner";
        let expected =
            [("a::inner::Item", inner), ("inner::Item", inner), ("crate::Item", inner), ("crate::a::Renamed", inner)];
        assert_eq!(led(&files), pairs(&expected));
    }

    #[test]
    fn inline_modules_bodies_and_code_name_paths_too() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "mod in_a { use super::super::b::One; fn f(x: [u8; 2]) { use crate::b::Two; super::super::b::three() } }",
            ),
            ("b.rs", "pub(in crate::a) struct One; fn g() { vec.crate_b; $crate::a::x }"),
        ];
        let b = "crate::b";
        let expected = [("super::super::b::One", b), ("crate::b::Two", b), ("super::super::b::three", b)];
        assert_eq!(led(&files), pairs(&expected));
    }

    #[test]
    fn code_for_tests_is_marked() {
        let files = [
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod c;"),
            (
                "a.rs",
                "#[cfg(test)]\nuse crate::b::B;\nuse crate::b;\n#[cfg(test)]\nmod tests { use crate::b::B; }\nuse crate::b as d;",
            ),
            ("b.rs", "pub struct B;"),
            ("c.rs", "use crate::b;"),
        ];
        let read = made_up(&files);
        let tests: Vec<bool> = read.references().map(|found| found.is_test).collect();
        assert_eq!(tests.iter().filter(|is_test| **is_test).count(), 3, "{tests:?}");
        assert_eq!(tests.len(), 5);
    }
}
