//! The modules of one crate, and the paths that each of them names: imports and paths in code, resolved to the file where the
//! named item is defined.

use std::collections::{BTreeMap, HashMap};

use super::tokens::{Token, tokens};

/// The modules of one crate. The first is the root, `lib.rs` or `main.rs`.
pub(super) struct Crate {
    modules: Vec<Module>,
}

/// One module: a file, or `mod name { … }` in one.
struct Module {
    /// Its path in the crate, `crate` at the beginning.
    name: String,
    parent: usize,
    file: String,
    children: HashMap<String, usize>,
    /// What its imports bind, by name: the path as written.
    bound: HashMap<String, Vec<String>>,
    mentions: Vec<Mention>,
}

/// A path that a module names.
struct Mention {
    path: Vec<String>,
    line: usize,
    is_export: bool,
    /// In code that only tests are built of.
    is_test: bool,
}

/// A path and where it leads.
pub(super) struct Reference<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    /// As written.
    pub(super) path: String,
    pub(super) is_test: bool,
    /// `pub use`, also `pub(crate) use` and the like.
    pub(super) is_export: bool,
    /// The module that defines the item, and its file.
    pub(super) home: &'a str,
    pub(super) home_file: &'a str,
    /// Whether it was reached by what the root imports or exports.
    pub(super) is_through_root: bool,
}

impl Reference<'_> {
    /// Whether it begins at the crate, the parent or the module itself; otherwise at what the module declares or imports.
    pub(super) fn is_anchored(&self) -> bool {
        ["crate::", "super::", "self::"].iter().any(|start| self.path.starts_with(start))
    }
}

/// Where a path leads inside the crate.
#[derive(Clone, Copy)]
struct Target {
    module: usize,
    /// Whether it is an item of that module; otherwise it is the module itself.
    is_item: bool,
    is_through_root: bool,
}

/// The longest chain of re-exports that is followed.
const LONGEST_CHAIN: usize = 16;

impl Crate {
    /// Reads the crate whose root is this file, out of all files by path.
    pub(super) fn read(root: &str, files: &BTreeMap<String, String>) -> Self {
        let mut read = Self { modules: Vec::new() };
        read.file(root, "crate".to_owned(), 0, false, files);
        read
    }

    /// Adds the module of a file, and those below it; returns its number.
    fn file(
        &mut self,
        path: &str,
        name: String,
        parent: usize,
        is_test: bool,
        files: &BTreeMap<String, String>,
    ) -> usize {
        let number = self.module(path, name, parent);
        let Some(text) = files.get(path) else { return number };
        let mut reader = Reader { tokens: &tokens(text), at: 0, module: number, is_test, later: Vec::new() };
        reader.block(self, false);
        for (module, child, is_test) in reader.later {
            let name = self.name_below(module, &child);
            let folder = self.folder(module);
            let candidates = [format!("{folder}/{child}.rs"), format!("{folder}/{child}/mod.rs")];
            if let Some(path) = candidates.iter().find(|path| files.contains_key(*path)) {
                let below = self.file(path, name, module, is_test, files);
                self.child(module, child, below);
            }
        }
        number
    }

    fn module(&mut self, file: &str, name: String, parent: usize) -> usize {
        let (children, bound, mentions) = Default::default();
        self.modules.push(Module { name, parent, file: file.to_owned(), children, bound, mentions });
        self.modules.len() - 1
    }

    fn child(&mut self, module: usize, name: String, child: usize) {
        if let Some(module) = self.modules.get_mut(module) {
            module.children.insert(name, child);
        }
    }

    fn name_below(&self, module: usize, child: &str) -> String {
        self.modules.get(module).map_or_else(String::new, |module| format!("{}::{child}", module.name))
    }

    /// The folder that the files of a module's children are in.
    fn folder(&self, module: usize) -> String {
        let top = self.root().rsplit_once('/').map_or("", |(folder, _)| folder);
        let below = self.modules.get(module).map_or("", |module| module.name.strip_prefix("crate").unwrap_or_default());
        format!("{top}{}", below.replace("::", "/"))
    }

    /// Every path that leads to an item or a module of this crate.
    pub(super) fn references(&self) -> impl Iterator<Item = Reference<'_>> {
        self.modules.iter().enumerate().flat_map(move |(number, module)| {
            module.mentions.iter().filter_map(move |mention| {
                let target = self.resolve(number, &mention.path, LONGEST_CHAIN)?;
                let home = self.modules.get(target.module)?;
                Some(Reference {
                    file: &module.file,
                    line: mention.line,
                    path: mention.path.join("::"),
                    is_test: mention.is_test,
                    is_export: mention.is_export,
                    home: &home.name,
                    home_file: &home.file,
                    is_through_root: target.is_through_root && module.file != self.root(),
                })
            })
        })
    }

    /// The file of the root.
    pub(super) fn root(&self) -> &str {
        self.modules.first().map_or("", |root| &root.file)
    }

    /// Where a path leads that this module names; `None` when that is another crate.
    fn resolve(&self, from: usize, path: &[String], chain: usize) -> Option<Target> {
        let here = self.modules.get(from)?;
        let (first, rest) = path.split_first()?;
        let start = |module| Some(Target { module, is_item: false, is_through_root: false });
        let first = match first.as_str() {
            "crate" => start(0),
            "self" => start(from),
            "super" => start(here.parent),
            name => self.member(from, name, chain).filter(|_| here.knows(name)),
        };
        rest.iter().try_fold(first?, |reached, name| match name.as_str() {
            _ if reached.is_item => Some(reached),
            "self" => Some(reached),
            "super" => start(self.modules.get(reached.module)?.parent),
            // All that it has: the module itself.
            "*" => Some(Target { is_through_root: reached.module == 0, ..reached }),
            name => {
                let next = self.member(reached.module, name, chain)?;
                Some(Target { is_through_root: next.is_through_root || reached.is_through_root, ..next })
            }
        })
    }

    /// What a module has under a name: a module below it, what an import binds, or else an item that it defines.
    fn member(&self, module: usize, name: &str, chain: usize) -> Option<Target> {
        let here = self.modules.get(module)?;
        if let Some(child) = here.children.get(name) {
            return Some(Target { module: *child, is_item: false, is_through_root: false });
        }
        let Some(path) = here.bound.get(name) else {
            return Some(Target { module, is_item: true, is_through_root: false });
        };
        let found = self.resolve(module, path, chain.checked_sub(1)?)?;
        Some(Target { is_through_root: module == 0 || found.is_through_root, ..found })
    }
}

impl Module {
    /// Whether a path may begin with this name, and lead into this crate.
    fn knows(&self, name: &str) -> bool {
        self.children.contains_key(name) || self.bound.contains_key(name)
    }
}

/// Reads the tokens of one file.
struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    module: usize,
    is_test: bool,
    /// Modules in files of their own: where, their names, whether for tests.
    later: Vec<(usize, String, bool)>,
}

impl<'a> Reader<'a> {
    /// Reads up to the end of a block or the file.
    fn block(&mut self, into: &mut Crate, is_body: bool) {
        let outside = self.is_test;
        while let Some(token) = self.next() {
            match token.text {
                "}" => break,
                "#" => {
                    self.is_test |= self.attribute();
                    continue;
                }
                // Parts of a signature, and no end of the item.
                "(" | "[" => {
                    self.brackets(into);
                    continue;
                }
                "mod" if !self.peek(1).is_empty() => self.mod_item(into),
                "use" => self.use_item(into, is_body),
                "{" => self.block(into, true),
                ";" | "," => {}
                _ => {
                    self.path(into);
                    continue;
                }
            }
            // An attribute is for the one item after it.
            self.is_test = outside;
        }
        self.is_test = outside;
    }

    /// Reads what is in round or square brackets; blocks in them are bodies.
    fn brackets(&mut self, into: &mut Crate) {
        while let Some(token) = self.next() {
            match token.text {
                ")" | "]" => return,
                "(" | "[" => self.brackets(into),
                "{" => self.block(into, true),
                _ => self.path(into),
            }
        }
    }

    /// `mod name;` or `mod name { … }`.
    fn mod_item(&mut self, into: &mut Crate) {
        let name = self.peek(0).to_owned();
        self.at += 1;
        match self.next().map(|token| token.text) {
            Some("{") => {
                let outer = self.module;
                let file = into.modules.get(outer).map_or_else(String::new, |module| module.file.clone());
                let number = into.module(&file, into.name_below(outer, &name), outer);
                into.child(outer, name, number);
                self.module = number;
                self.block(into, false);
                self.module = outer;
            }
            _ => self.later.push((self.module, name, self.is_test)),
        }
    }

    /// `use …;`, whose keyword has been read.
    fn use_item(&mut self, into: &mut Crate, is_body: bool) {
        // `use<'a>` in a type is another thing.
        if self.peek(0) == "<" {
            return;
        }
        let before = self.at.checked_sub(2).and_then(|at| self.tokens.get(at)).map_or("", |token| token.text);
        let is_export = matches!(before, "pub" | ")");
        self.use_tree(into, &[], is_export, is_body);
        // The semicolon.
        self.at += 1;
    }

    /// One path of an import, or several in braces.
    fn use_tree(&mut self, into: &mut Crate, before: &[String], is_export: bool, is_body: bool) {
        let mut path = before.to_vec();
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        loop {
            match self.next().map(|token| token.text) {
                Some("{") => {
                    while !matches!(self.peek(0), "}" | "") {
                        self.use_tree(into, &path, is_export, is_body);
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
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if self.peek(0) == "as" {
            name = self.peek(1).to_owned();
            self.at += 2;
        }
        let mention = Mention { path, line, is_export, is_test: self.is_test };
        let Some(module) = into.modules.get_mut(self.module) else { return };
        if !is_body && name != "*" && mention.path != [name.as_str()] {
            module.bound.insert(name, mention.path.clone());
        }
        module.mentions.push(mention);
    }

    /// A path in code; the token before is its first name.
    fn path(&mut self, into: &mut Crate) {
        let Some(token) = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) else { return };
        let before = |back: usize| self.at.checked_sub(back).and_then(|at| self.tokens.get(at)).map_or("", |t| t.text);
        // A field, the rest of a path, a macro's own crate, `pub(in …)`.
        let is_other = matches!(before(2), "." | "::" | "$") || (before(2) == "in" && before(4) == "pub");
        let mut path = vec![token.text.to_owned()];
        while self.peek(0) == "::" && self.peek(1).starts_with(|c: char| c.is_alphabetic() || c == '_') {
            path.push(self.peek(1).to_owned());
            self.at += 2;
        }
        if path.len() > 1
            && !is_other
            && let Some(module) = into.modules.get_mut(self.module)
        {
            let (line, is_test) = (token.line, self.is_test);
            module.mentions.push(Mention { path, line, is_export: false, is_test });
        }
    }

    /// The rest of an attribute, or nothing; whether it is `cfg(test)`.
    fn attribute(&mut self) -> bool {
        self.at += usize::from(self.peek(0) == "!");
        if self.peek(0) != "[" {
            return false;
        }
        let is_test = (1..).zip(["cfg", "(", "test", ")"]).all(|(at, text)| self.peek(at) == text);
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token.text {
                "[" => depth += 1,
                "]" if depth == 1 => break,
                "]" => depth -= 1,
                _ => {}
            }
        }
        is_test
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    /// The token that comes after so many others.
    fn peek(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
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
    fn code_for_tests_is_told_apart() {
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
