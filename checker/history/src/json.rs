//! A byte cursor over JSON text (RFC 8259). Numbers are exact; any input gives values or an error, never a panic.

use std::borrow::Cow;

use compact_str::CompactString;

use crate::datum::{Datum, number};
use crate::edn::MAX_DEPTH;
use crate::edn::{Failure, Parsed};

/// The only value of a text.
pub(crate) fn whole_value(text: &str) -> Result<Datum, String> {
    let mut json = Json::new(text.as_bytes());
    json.skip_blank();
    let value = json.value().and_then(|value| {
        json.skip_blank();
        if json.peek().is_none() { Ok(value) } else { json.expected("nothing more") }
    });
    value.map_err(|Failure { offset, message }| format!("column {}: {message}", offset + 1))
}

/// A position in the text.
pub(crate) struct Json<'a> {
    text: &'a [u8],
    offset: usize,
    depth: usize,
    /// The end of the text was looked at: with more text, there might have been more to read.
    met_end: bool,
}

impl<'a> Json<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, offset: 0, depth: 0, met_end: false }
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the end of the text mattered.
    pub(crate) fn has_met_end(&self) -> bool {
        self.met_end
    }

    pub(crate) fn peek(&mut self) -> Option<u8> {
        let next = self.text.get(self.offset).copied();
        self.met_end |= next.is_none();
        next
    }

    /// The byte after the next one, where there is one.
    pub(crate) fn second(&self) -> Option<u8> {
        self.text.get(self.offset + 1).copied()
    }

    /// Steps over this text, if it stands here.
    #[inline]
    pub(crate) fn skip(&mut self, text: &str) -> bool {
        let is_here = self.text[self.offset..].starts_with(text.as_bytes());
        self.offset += if is_here { text.len() } else { 0 };
        is_here
    }

    /// Nearly every number of an event, in one go: a few digits, and something else behind. Where it is another one, the
    /// cursor stays.
    pub(crate) fn small_natural(&mut self) -> Option<u64> {
        /// So many digits fit into 64 bits, whatever they are.
        const DIGITS_MAX: usize = 18;
        let text = &self.text[self.offset..];
        let digits = text.iter().take(DIGITS_MAX).take_while(|byte| byte.is_ascii_digit());
        let (length, value) = digits.fold((0, 0), |(length, value), digit| {
            (length + 1, value * 10 + u64::from(digit - b'0'))
        });
        let has_ended = matches!(text.get(length), Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r'));
        if length == 0 || !has_ended || (length > 1 && text[0] == b'0') {
            return None;
        }
        self.offset += length;
        Some(value)
    }

    /// Steps over a byte that was peeked at.
    pub(crate) fn bump(&mut self) {
        self.offset += 1;
    }

    pub(crate) fn skip_blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.offset += 1;
        }
    }

    /// What is wrong here: something else than this was found.
    pub(crate) fn expected<T>(&mut self, what: &str) -> Parsed<T> {
        let message = format!("expected {what}, found {}", self.found());
        Err(Failure { offset: self.offset, message })
    }

    /// The next word or character, for people.
    fn found(&mut self) -> String {
        const CHARS_MAX: usize = 40;
        let rest = &self.text[self.offset..];
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-+.:".contains(byte);
        let word = rest.iter().take(CHARS_MAX).take_while(is_word).count();
        self.met_end |= word == rest.len();
        match rest {
            [] => "the end of the text".to_owned(),
            [b'\n', ..] => "the end of the line".to_owned(),
            _ => {
                let length = word.max(1);
                let shown = String::from_utf8_lossy(&rest[..length]);
                let shown: String = shown.chars().flat_map(char::escape_debug).collect();
                if shown == "\\\"" { "a string".to_owned() } else { format!("`{shown}`") }
            }
        }
    }

    pub(crate) fn value(&mut self) -> Parsed<Datum> {
        match self.peek() {
            Some(b'"') => Ok(Datum::Text(self.string()?.into())),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Datum::Bool(true)),
            Some(b'f') => self.word("false", Datum::Bool(false)),
            Some(b'n') => self.word("null", Datum::Nil),
            _ => self.expected("a value"),
        }
    }

    fn word(&mut self, word: &str, value: Datum) -> Parsed<Datum> {
        let rest = &self.text[self.offset..];
        self.met_end |= rest.len() < word.len();
        if !rest.starts_with(word.as_bytes()) {
            return self.expected("a value");
        }
        self.offset += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Parsed<Datum> {
        if let Some(small) = self.small_natural().and_then(|small| i64::try_from(small).ok()) {
            return Ok(Datum::Int(small));
        }
        let start = self.offset;
        self.offset += usize::from(self.peek() == Some(b'-'));
        let first = self.peek();
        let mut small: Option<i64> = Some(0);
        let whole = self.digits(|digit| {
            small = small.and_then(|value| value.checked_mul(10)?.checked_add(digit.into()));
        })?;
        if first == Some(b'0') && whole > 1 {
            let message = "expected a number, found one that begins with 0".to_owned();
            return Err(Failure { offset: start, message });
        }
        let mut is_integer = true;
        if self.peek() == Some(b'.') {
            is_integer = false;
            self.offset += 1;
            self.digits(|_| {})?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_integer = false;
            self.offset += 1;
            self.offset += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits(|_| {})?;
        }
        let is_negative = self.text[start] == b'-';
        if let Some(small) = small.filter(|_| is_integer) {
            return Ok(Datum::Int(if is_negative { -small } else { small }));
        }
        let text = utf8(&self.text[start..self.offset], start)?;
        if is_integer {
            return Ok(number::integer(text));
        }
        let message = || format!("expected a number, found `{text}`, which is out of all bounds");
        let decimal = number::decimal(text).map(Datum::Number);
        decimal.ok_or_else(|| Failure { offset: start, message: message() })
    }

    /// Steps over digits, and says how many there are: at least one.
    fn digits(&mut self, mut each: impl FnMut(u8)) -> Parsed<usize> {
        let start = self.offset;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            each(digit - b'0');
            self.offset += 1;
        }
        if self.offset == start { self.expected("a digit") } else { Ok(self.offset - start) }
    }

    fn array(&mut self) -> Parsed<Datum> {
        let mut items = Vec::new();
        self.between(b']', |json| {
            items.push(json.value()?);
            Ok(true)
        })?;
        Ok(Datum::list(items))
    }

    fn object(&mut self) -> Parsed<Datum> {
        let open = self.offset;
        // Nearly always as many as there are.
        let mut entries: Vec<(CompactString, Datum)> = Vec::with_capacity(self.names_ahead());
        self.between(b'}', |json| {
            let name = json.name()?.into();
            entries.push((name, json.value()?));
            Ok(true)
        })?;
        Datum::map(entries).ok_or_else(|| duplicate_name(open))
    }

    /// How many names an object without others in it has, and without commas in its texts.
    fn names_ahead(&self) -> usize {
        const MAX: usize = 16;
        let rest = &self.text[self.offset..];
        let end = memchr::memchr(b'}', rest).unwrap_or(0);
        let commas = rest[..end].iter().filter(|&&byte| byte == b',').count();
        (commas + 1).min(MAX)
    }

    /// A name in an object, with the colon after it.
    pub(crate) fn name(&mut self) -> Parsed<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return self.expected("a name in quotes");
        }
        let name = self.string()?;
        self.skip_blank();
        if self.peek() != Some(b':') {
            return self.expected("`:`");
        }
        self.offset += 1;
        self.skip_blank();
        Ok(name)
    }

    /// Calls `read` on each thing up to the closing bracket, with commas between; the cursor is on the opening one.
    /// Ends where `read` says false: whether the closing bracket was met.
    pub(crate) fn between(
        &mut self,
        close: u8,
        mut read: impl FnMut(&mut Self) -> Parsed<bool>,
    ) -> Parsed<bool> {
        if self.depth == MAX_DEPTH {
            return self.expected(&format!("nothing deeper than {MAX_DEPTH} brackets"));
        }
        self.depth += 1;
        let open = self.offset;
        self.offset += 1;
        self.skip_blank();
        let mut is_first = true;
        loop {
            match self.peek() {
                Some(byte) if byte == close => break,
                None => return Err(never_closed(open)),
                Some(b',') if !is_first => {
                    self.offset += 1;
                    self.skip_blank();
                }
                Some(_) if !is_first => {
                    return self.expected(&format!("`,` or `{}`", char::from(close)));
                }
                Some(_) => {}
            }
            is_first = false;
            if self.peek().is_none() {
                return Err(never_closed(open));
            }
            if !read(self)? {
                return Ok(false);
            }
            self.skip_blank();
        }
        self.offset += 1;
        self.depth -= 1;
        Ok(true)
    }

    /// A string; the cursor is on its opening quote.
    pub(crate) fn string(&mut self) -> Parsed<Cow<'a, str>> {
        let open = self.offset;
        self.offset += 1;
        let first = self.plain(open)?;
        if self.text[self.offset] == b'"' {
            self.offset += 1;
            return utf8(first, open).map(Cow::Borrowed);
        }
        let mut bytes = first.to_vec();
        while self.text[self.offset] == b'\\' {
            self.offset += 1;
            let character = self.escape()?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            bytes.extend_from_slice(self.plain(open)?);
        }
        self.offset += 1;
        utf8(&bytes, open).map(|text| Cow::Owned(text.to_owned()))
    }

    /// The bytes up to the next quote or backslash, which is there.
    fn plain(&mut self, open: usize) -> Parsed<&'a [u8]> {
        let rest = &self.text[self.offset..];
        let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let Some(length) = rest.iter().position(ends) else {
            self.met_end = true;
            return Err(Failure {
                offset: open,
                message: "this string is never closed".to_owned(),
            });
        };
        self.offset += length;
        if rest[length] < b' ' {
            return self.expected("the rest of a string");
        }
        Ok(&rest[..length])
    }

    /// What follows the backslash in a string.
    fn escape(&mut self) -> Parsed<char> {
        let character = match self.peek() {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => {
                self.offset += 1;
                return self.unicode();
            }
            _ => return self.expected("one of the escapes of JSON"),
        };
        self.offset += 1;
        Ok(character)
    }

    /// Four hexadecimal digits, or two such escapes for a surrogate pair.
    fn unicode(&mut self) -> Parsed<char> {
        let start = self.offset;
        let mut units = vec![self.hex4()?];
        self.met_end |= self.text.len() - self.offset < 2;
        if (0xD800..0xDC00).contains(&units[0]) && self.text[self.offset..].starts_with(b"\\u") {
            self.offset += 2;
            units.push(self.hex4()?);
        }
        let half = || Failure { offset: start, message: "half a surrogate pair".to_owned() };
        char::decode_utf16(units).next().and_then(Result::ok).ok_or_else(half)
    }

    fn hex4(&mut self) -> Parsed<u16> {
        let digits = self.text.get(self.offset..self.offset + 4);
        self.met_end |= digits.is_none();
        let digits = digits.filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let unit = digits
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| u16::from_str_radix(d, 16).ok());
        let Some(unit) = unit else { return self.expected("four hexadecimal digits") };
        self.offset += 4;
        Ok(unit)
    }
}

pub(crate) fn duplicate_name(open: usize) -> Failure {
    Failure { offset: open, message: "an object with the same name twice".to_owned() }
}

fn never_closed(open: usize) -> Failure {
    Failure { offset: open, message: "this bracket is never closed".to_owned() }
}

fn utf8(bytes: &[u8], offset: usize) -> Parsed<&str> {
    std::str::from_utf8(bytes).map_err(|_| Failure { offset, message: "not UTF-8".to_owned() })
}
