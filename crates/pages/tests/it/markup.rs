//! Reads a page strictly: what this reader takes for text, a browser does, and anything in doubt is an error.

/// A tag, or text between two.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// Its name and attributes, the values as written; whether it closes itself.
    Open {
        name: String,
        attributes: Vec<(String, String)>,
        is_closed: bool,
    },
    Close(String),
    Text(String),
}

/// Elements without content and end (HTML, void elements).
const VOID: [&str; 2] = ["meta", "!DOCTYPE"];

/// The tokens of a page; panics where one is not as the templates write it.
pub(crate) fn tokens(page: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = page;
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            let (text, behind) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
            assert!(!text.contains('>') || is_style(&tokens), "a `>` that is no end of a tag: {text}");
            tokens.push(Token::Text(text.to_owned()));
            rest = behind;
            continue;
        };
        let (inside, behind) = tag.split_once('>').expect("an end of each tag");
        assert!(!inside.contains('<'), "{inside}");
        tokens.push(match inside.strip_prefix('/') {
            Some(name) => Token::Close(name.to_owned()),
            None => open(inside),
        });
        rest = behind;
    }
    tokens
}

fn is_style(tokens: &[Token]) -> bool {
    matches!(tokens.last(), Some(Token::Open { name, .. }) if name == "style")
}

fn open(inside: &str) -> Token {
    let is_closed = inside.ends_with('/');
    let inside = inside.trim_end_matches('/');
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '!'), "`{name}` is no name of a tag");
    let mut attributes = Vec::new();
    while !rest.is_empty() && name != "!DOCTYPE" {
        let (attribute, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("attributes with quotes: {inside}"));
        let (value, behind) = value.split_once('"').unwrap_or_else(|| panic!("quotes that end: {inside}"));
        assert!(attribute.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{inside}");
        attributes.push((attribute.to_owned(), value.to_owned()));
        assert!(behind.is_empty() || behind.starts_with(' '), "{inside}");
        rest = behind.trim_start();
    }
    Token::Open { name: name.to_owned(), attributes, is_closed }
}

/// The page without its text: every tag with every attribute.
pub(crate) fn skeleton(page: &str) -> Vec<Token> {
    tokens(page).into_iter().filter(|token| !matches!(token, Token::Text(_))).collect()
}

/// Its text alone, with character references resolved.
pub(crate) fn text(page: &str) -> String {
    let texts = tokens(page).into_iter().filter_map(|token| match token {
        Token::Text(text) => Some(resolved(&text)),
        _ => None,
    });
    texts.collect::<Vec<_>>().join(" ")
}

fn resolved(text: &str) -> String {
    let references = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    references.iter().fold(text.to_owned(), |text, (reference, character)| text.replace(reference, character))
}

/// Panics where an element is not closed in its turn.
pub(crate) fn assert_nested(page: &str) {
    let mut open = Vec::new();
    for token in tokens(page) {
        match token {
            Token::Open { name, is_closed: false, .. } if !VOID.contains(&name.as_str()) => open.push(name),
            Token::Close(name) => assert_eq!(open.pop(), Some(name)),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
