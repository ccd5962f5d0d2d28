//! What is on the screen, and where.

/// The screen, from the first line that was ever on it.
pub(super) struct Screen {
    /// As the terminal shows it.
    lines: Vec<String>,
    /// Lines that the terminal has broken, put together again.
    whole: Vec<String>,
    /// With the styles of the cells.
    styled: String,
    cursor: usize,
    /// Whether it is the other screen, which full-screen programs use; whether lines are broken at the last column; the
    /// window's title.
    state: [String; 3],
}

/// What only the progress says.
const PROGRESS: &[&str] =
    &["reading the torrent", " trackers, ", " tried: ", "s left", "saying goodbye", "leaves at once"];

impl Screen {
    /// From tmux's captures of the same screen: as it is, joined, and with styles; and its `display-message`.
    pub(super) fn new(lines: &str, whole: &str, styled: &str, state: &str) -> Self {
        let trimmed = |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect();
        let mut words = state.trim_end().splitn(4, ' ').map(str::to_owned);
        let cursor = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let state = std::array::from_fn(|_| words.next().unwrap_or_default());
        Self { lines: trimmed(lines), whole: trimmed(whole), styled: styled.to_owned(), cursor, state }
    }

    /// All of it, to be shown.
    pub(super) fn shown(&self) -> String {
        self.lines.iter().map(|line| format!("  | {line}\n")).collect()
    }

    /// The lines between the command and the prompt, as the terminal shows them.
    pub(super) fn lines(&self) -> &[String] {
        self.lines.get(1..self.lines.len().saturating_sub(1)).unwrap_or_default()
    }

    /// The same, where the terminal has broken none.
    pub(super) fn whole_lines(&self) -> &[String] {
        self.whole.get(1..self.whole.len().saturating_sub(1)).unwrap_or_default()
    }

    /// Whether a line contains this.
    pub(super) fn has(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// Whether the terminal broke no line.
    pub(super) fn is_unbroken(&self) -> bool {
        self.lines == self.whole
    }

    /// Whether no cell has a style.
    pub(super) fn is_plain(&self) -> bool {
        !self.styled.contains('\u{1b}')
    }

    /// What is wrong with the end of whatever was run: the prompt should be here, and the progress should not.
    pub(super) fn fault(&self, prompt: &str) -> Option<String> {
        if self.lines.last().is_none_or(|line| line != prompt.trim_end()) || self.cursor != prompt.len() {
            return Some(format!("the prompt is not at the beginning of a line, the cursor in column {}", self.cursor));
        }
        if let Some(line) = self.lines().iter().find(|line| PROGRESS.iter().any(|text| line.contains(text))) {
            return Some(format!("the progress is left: {line:?}"));
        }
        let [alternate, wrap, title] = &self.state;
        let untouched = alternate == "0" && wrap == "1" && !title.contains("owned");
        (!untouched).then(|| format!("the terminal is not as it was: {alternate} {wrap} {title:?}"))
    }

    /// The lines of the section under this title.
    pub(super) fn section(&self, title: &str) -> Vec<&str> {
        let lines = self.lines().iter().map(String::as_str);
        lines.skip_while(|line| *line != title).skip(1).take_while(|line| !line.is_empty()).collect()
    }

    /// The columns at which this text begins, in the lines that have it and satisfy the predicate, each once.
    pub(super) fn columns_of(&self, text: &str, of: impl Fn(&str) -> bool) -> Vec<usize> {
        columns_of(self.lines().iter().map(String::as_str).filter(|line| of(line)), text)
    }
}

/// The columns at which this text begins, in the lines that have it, each once.
pub(super) fn columns_of<'l>(lines: impl IntoIterator<Item = &'l str>, text: &str) -> Vec<usize> {
    let before = lines.into_iter().filter_map(|line| line.split_once(text));
    let mut found: Vec<usize> = before.map(|(before, _)| columns(before)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// How many columns a text has, of the characters that are used here: not by the tables that the program uses.
pub(super) fn columns(text: &str) -> usize {
    let width = |character| match character {
        '\u{300}'..='\u{36f}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff60}' => 2,
        _ => 1,
    };
    text.chars().map(width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_no_characters() {
        assert_eq!(
            [columns("abc"), columns("日本"), columns("e\u{301}"), columns("ﾊﾝ"), columns("한")],
            [3, 4, 1, 2, 2]
        );
        assert_eq!(columns_of(["ab x", "日 x", "x", "none"], "x"), [0, 3]);
    }

    #[test]
    fn a_prompt_behind_something_is_a_fault() {
        let fault = |lines: &str, cursor| {
            Screen::new(lines, lines, lines, &format!("{cursor} 0 1 title")).fault("exit 0 $ ").is_some()
        };
        assert!(!fault("$ run\nreport\nexit 0 $\n\n", 9));
        assert!(fault("$ run\nreport\n^Cexit 0 $\n", 11));
        assert!(fault("$ run\n0/0 trackers, 1 tried: 0\nexit 0 $\n", 9));
    }
}
