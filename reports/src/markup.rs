//! HTML that hostile text cannot break out of.
//!
//! Two ways lead into a page: `&'static str`, which only our own source can be, and [`Piece`]s, which are escaped.
//! So the compiler finds a forgotten escape.

use std::fmt::Write;

use serde::Serialize;

/// No single text is longer on the page than this, unless it says so by [`Long`].
const TEXT_CHARS_MAX: usize = 2_000;

/// Finished HTML or SVG.
#[derive(Clone, Debug, Default)]
pub struct Markup(String);

/// Something that may be put into a template.
pub trait Piece {
    /// Appends it, made safe for element text and quoted attributes.
    fn write_to(&self, out: &mut String);
}

/// Text that is bounded elsewhere and may be long, such as a log.
pub struct Long<'a>(pub &'a str);

/// A drawing for the `src` of an image.
pub struct Svg<'a>(pub &'a str);

impl Markup {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends our own text as it is.
    pub fn raw(&mut self, text: &'static str) {
        self.0.push_str(text);
    }

    /// Appends a template with each `{}` replaced by the next piece.
    pub fn push(&mut self, template: &'static str, pieces: &[&dyn Piece]) {
        debug_assert_eq!(template.matches("{}").count(), pieces.len(), "{template}");
        let mut pieces = pieces.iter();
        for (position, part) in template.split("{}").enumerate() {
            if position > 0
                && let Some(piece) = pieces.next()
            {
                piece.write_to(&mut self.0);
            }
            self.0.push_str(part);
        }
    }

    /// Appends other markup.
    pub fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// A value as JSON for a `<script type="application/json">`: no `<`, so that neither `</script>` nor `<!--` can
    /// occur, and none of the line ends that JSON allows and JavaScript once did not.
    pub fn json(value: &impl Serialize) -> Self {
        let json = serde_json::to_string(value).unwrap_or_else(|_| "null".into());
        let mut out = String::with_capacity(json.len());
        for c in json.chars() {
            match c {
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                _ => out.push(c),
            }
        }
        Self(out)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Piece for Markup {
    fn write_to(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl Piece for &str {
    fn write_to(&self, out: &mut String) {
        escape(&visible(&cut(self, TEXT_CHARS_MAX)), out);
    }
}

impl Piece for String {
    fn write_to(&self, out: &mut String) {
        self.as_str().write_to(out);
    }
}

impl Piece for Long<'_> {
    fn write_to(&self, out: &mut String) {
        escape(&visible(self.0), out);
    }
}

impl Piece for Svg<'_> {
    fn write_to(&self, out: &mut String) {
        out.push_str("data:image/svg+xml,");
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b" -._~/=:;,()".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

impl Piece for u64 {
    fn write_to(&self, out: &mut String) {
        let _ = write!(out, "{self}");
    }
}

impl Piece for usize {
    fn write_to(&self, out: &mut String) {
        let _ = write!(out, "{self}");
    }
}

/// A coordinate: a tenth of a pixel is enough.
impl Piece for f64 {
    fn write_to(&self, out: &mut String) {
        let tenths = (if self.is_finite() { self * 10.0 } else { 0.0 }).round();
        let _ = write!(out, "{}", tenths / 10.0);
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
}

/// The text with everything shown that would otherwise be invisible or reorder its surroundings: control characters
/// as their pictures, direction overrides and non-characters by their number.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let code = u32::from(c);
        match c {
            '\n' | '\t' => out.push(c),
            '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + code).unwrap_or('\u{fffd}')),
            '\u{7f}' => out.push('\u{2421}'),
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' => {
                let _ = write!(out, "‹U+{code:04X}›");
            }
            _ if code & 0xfffe == 0xfffe => {
                let _ = write!(out, "‹U+{code:04X}›");
            }
            _ => out.push(c),
        }
    }
    out
}

/// The first `chars` characters, with an ellipsis where more were left out.
pub fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
    }
}

/// A number with its thousands set apart, for people.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 operation`, `2 operations`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let mut page = Markup::new();
        page.push("{}", &[&text]);
        page.into_string()
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(of("<b a=\"1\" c='2'>&"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
    }

    #[test]
    fn invisible_characters_are_shown() {
        assert_eq!(of("a\0b\u{202e}c\u{7f}\u{9b}\u{ffff}"), "a␀b‹U+202E›c␡‹U+009B›‹U+FFFF›");
    }

    #[test]
    fn text_is_bounded() {
        let page = of(&"x".repeat(1 << 20));
        assert_eq!(page.chars().count(), TEXT_CHARS_MAX + 1);
        assert!(page.ends_with('…'));
    }

    #[test]
    fn a_piece_that_looks_like_a_template_is_text() {
        let mut page = Markup::new();
        page.push("{}-{}", &[&"{}", &"b"]);
        assert_eq!(page.into_string(), "{}-b");
    }

    #[test]
    fn a_drawing_cannot_leave_its_attribute() {
        let mut page = Markup::new();
        page.push("<img src='{}'>", &[&Svg("<svg a='\"'>&#é</svg>")]);
        assert_eq!(
            page.into_string(),
            "<img src='data:image/svg+xml,%3Csvg a=%27%22%27%3E%26%23%C3%A9%3C/svg%3E'>"
        );
    }

    #[test]
    fn json_cannot_end_its_script() {
        let json = Markup::json(&["</script><!--\u{2028}&"]).into_string();
        assert_eq!(json, r#"["\u003c/script\u003e\u003c!--\u2028\u0026"]"#);
        let back: Vec<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, ["</script><!--\u{2028}&"]);
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "node"), "1 node");
    }
}
