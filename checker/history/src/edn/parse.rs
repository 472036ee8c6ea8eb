//! A byte cursor over EDN text. Any input gives values or an error, never a panic.
//!
//! The grammar is written once; what comes of it is up to the [`Sink`]: EDN values, JSON values, or nothing.

use std::borrow::Cow;

use super::integers::{self, DIGITS_MAX, LENGTH_MAX};
use super::{Edn, SYMBOL_BYTES, is_keyword_name, is_symbol_name, key_name};
use crate::datum::number;

/// What the values of a text become.
pub(crate) trait Sink: Sized {
    fn nil() -> Self;
    fn bool(value: bool) -> Self;
    /// From `i64::MIN` to `u64::MAX`.
    fn int(value: i128) -> Self;
    fn float(value: f64) -> Self;
    /// Any other number, as written: one of [`number::of_edn`].
    fn number(text: &str) -> Self;
    fn string(text: Cow<'_, str>) -> Self;
    fn char(character: char) -> Self;
    fn keyword(name: &str) -> Self;
    fn symbol(name: &str) -> Self;
    fn list(items: Vec<Self>) -> Self;
    fn vector(items: Vec<Self>) -> Self;
    /// A list or vector of at least [`INTEGERS_MIN`](crate::datum::INTEGERS_MIN) integers; `of` is the one of the two.
    fn integers(values: Vec<i64>, of: fn(Vec<Self>) -> Self) -> Self {
        of(values.into_iter().map(|value| Self::int(value.into())).collect())
    }
    fn set(items: Vec<Self>) -> Self;
    /// Of these keys no two are the same.
    fn map(entries: Vec<(Edn, Self)>) -> Self;
    fn tagged(tag: &str, value: Self) -> Self;
}

/// The value is not wanted.
impl Sink for () {
    fn nil() {}
    fn bool(_: bool) {}
    fn int(_: i128) {}
    fn float(_: f64) {}
    fn number(_: &str) {}
    fn string(_: Cow<'_, str>) {}
    fn char(_: char) {}
    fn keyword(_: &str) {}
    fn symbol(_: &str) {}
    fn list(_: Vec<()>) {}
    fn vector(_: Vec<()>) {}
    fn set(_: Vec<()>) {}
    fn map(_: Vec<(Edn, ())>) {}
    fn tagged(_: &str, (): ()) {}
}

/// Deepest nesting that is read: far beyond any history, far below the stack.
pub const MAX_DEPTH: usize = 60;

/// Where the text stops being EDN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// Line, from 1.
    pub line: u64,
    /// Column in bytes, from 1.
    pub column: u64,
    /// What is wrong there.
    pub message: String,
}

impl ParseError {
    fn at(text: &[u8], offset: usize, message: impl Into<String>) -> Self {
        let before = &text[..offset.min(text.len())];
        let newline = before.iter().rposition(|&b| b == b'\n');
        Self {
            line: 1 + before.iter().filter(|&&b| b == b'\n').count() as u64,
            column: (before.len() - newline.map_or(0, |n| n + 1)) as u64 + 1,
            message: message.into(),
        }
    }
}

/// Every value in the text.
///
/// # Errors
/// The first thing that is no EDN, and where it stands.
pub fn parse(text: &[u8]) -> Result<Vec<Edn>, ParseError> {
    let mut values = Vec::new();
    let mut cursor = Cursor::new(text);
    while let Some((_, value)) = cursor.next_form()? {
        values.push(value);
    }
    Ok(values)
}

/// What went wrong, and at which byte.
pub(crate) struct Failure {
    pub(crate) offset: usize,
    pub(crate) message: String,
}

pub(crate) type Parsed<T> = Result<T, Failure>;

/// A position in the text.
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    offset: usize,
    depth: usize,
    /// The end of the text was looked at: with more text, there might have been more to read.
    met_end: bool,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, offset: 0, depth: 0, met_end: false }
    }

    /// The next value and where it starts; nothing at the end of the text.
    pub(crate) fn next_form(&mut self) -> Result<Option<(usize, Edn)>, ParseError> {
        self.form().map_err(|f| ParseError::at(self.text, f.offset, f.message))
    }

    fn form(&mut self) -> Parsed<Option<(usize, Edn)>> {
        self.skip_blank()?;
        if self.peek().is_none() {
            return Ok(None);
        }
        let start = self.offset;
        Ok(Some((start, self.value()?)))
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the end of the text mattered.
    pub(crate) fn has_met_end(&self) -> bool {
        self.met_end
    }

    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let next = self.text.get(self.offset).copied();
        self.met_end |= next.is_none();
        next
    }

    /// The byte after the next one, where there is one.
    pub(crate) fn second(&self) -> Option<u8> {
        self.text.get(self.offset + 1).copied()
    }

    /// Steps over this word, if it stands here and something follows that is no part of it.
    #[inline]
    pub(crate) fn skip(&mut self, word: &str) -> bool {
        let after = self.text[self.offset..].strip_prefix(word.as_bytes());
        let is_whole =
            after.and_then(|after| after.first()).is_some_and(|&next| is_delimiter(next));
        self.offset += if is_whole { word.len() } else { 0 };
        is_whole
    }

    fn peek_second(&mut self) -> Option<u8> {
        let next = self.text.get(self.offset + 1).copied();
        self.met_end |= next.is_none();
        next
    }

    /// Steps over a byte that was peeked at.
    pub(crate) fn bump(&mut self) {
        self.offset += 1;
    }

    /// Goes back to an earlier offset.
    pub(crate) fn rewind(&mut self, offset: usize) {
        self.offset = offset;
    }

    pub(crate) fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Failure { offset: self.offset, message: message.into() })
    }

    /// Skips blanks, commas, comments and discarded forms.
    #[inline]
    pub(crate) fn skip_blank(&mut self) -> Parsed<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b',') => self.offset += 1,
                Some(b';') => {
                    let rest = &self.text[self.offset..];
                    self.offset += rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                }
                Some(b'#') if self.peek_second() == Some(b'_') => {
                    self.offset += 2;
                    self.nested(Self::required::<()>)?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Runs `read` one level deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return self.fail(format!("nested deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// A value that must be there.
    pub(crate) fn required<S: Sink>(&mut self) -> Parsed<S> {
        self.skip_blank()?;
        self.value()
    }

    pub(crate) fn value<S: Sink>(&mut self) -> Parsed<S> {
        match self.peek() {
            None => self.fail("the text ends where a value is expected"),
            Some(b'(') => self.list(b')', S::list),
            Some(b'[') => self.list(b']', S::vector),
            Some(b'{') => self.map(|key| key).map(S::map),
            Some(b'"') => self.string().map(S::string),
            Some(b'\\') => self.character().map(S::char),
            Some(b'#') => self.dispatch(),
            Some(b')' | b']' | b'}') => self.fail("a closing bracket without an opening one"),
            Some(_) => self.atom(),
        }
    }

    /// A list or vector; the cursor is on its opening bracket.
    fn list<S: Sink>(&mut self, close: u8, of: fn(Vec<S>) -> S) -> Parsed<S> {
        match self.integers(close) {
            Some(values) => Ok(S::integers(values, of)),
            None => self.sequence(close).map(of),
        }
    }

    /// Nearly every long list, in one go. Where it is something else, the cursor stays.
    fn integers(&mut self, close: u8) -> Option<Vec<i64>> {
        let may_nest = self.depth < MAX_DEPTH;
        let (values, length) =
            integers::of_list(&self.text[self.offset + 1..], close).filter(|_| may_nest)?;
        self.offset += 1 + length;
        Some(values)
    }

    /// Values up to the closing bracket; the cursor is on the opening one.
    fn sequence<S: Sink>(&mut self, close: u8) -> Parsed<Vec<S>> {
        /// Most lists of lists are short.
        const OF_LISTS: usize = 4;
        let rest = &self.text[self.offset + 1..];
        // Nearly always the length of a list without lists in it: one space between two.
        let length = match rest.first() {
            Some(b'[' | b'(' | b'{') => OF_LISTS,
            _ => memchr::memchr(close, rest).map_or(0, |end| match &rest[..end] {
                [] => 0,
                flat => memchr::memchr_iter(b' ', flat).count() + 1,
            }),
        };
        let mut items = Vec::with_capacity(length.min(LENGTH_MAX));
        self.between(close, |cursor| {
            let small = cursor.small_integer();
            items.push(match small {
                Some(small) => S::int(small.into()),
                None => cursor.value()?,
            });
            Ok(())
        })?;
        Ok(items)
    }

    /// Calls `read` on each thing up to the closing bracket; the cursor is on the opening one.
    pub(crate) fn between(
        &mut self,
        close: u8,
        mut read: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<()> {
        let open = self.offset;
        self.offset += 1;
        self.nested(|cursor| {
            loop {
                cursor.skip_blank()?;
                match cursor.peek() {
                    Some(byte) if byte == close => {
                        cursor.offset += 1;
                        return Ok(());
                    }
                    None => {
                        let message = "this bracket is never closed".to_owned();
                        return Err(Failure { offset: open, message });
                    }
                    Some(_) => read(cursor)?,
                }
            }
        })
    }

    /// The entries of a map, whose keys `name` may change.
    fn map<S: Sink>(&mut self, name: impl Fn(Edn) -> Edn) -> Parsed<Vec<(Edn, S)>> {
        let open = self.offset;
        let mut entries = Vec::new();
        self.between(b'}', |cursor| {
            let key = name(cursor.value()?);
            cursor.value_of_key(open)?;
            entries.push((key, cursor.value()?));
            Ok(())
        })?;
        if has_duplicates(&entries) {
            return Err(duplicate_key(open));
        }
        Ok(entries)
    }

    /// Steps to the value that belongs to a key; `open` is where the map begins.
    pub(crate) fn value_of_key(&mut self, open: usize) -> Parsed<()> {
        self.skip_blank()?;
        if self.peek() == Some(b'}') {
            let message = "a map with a key but no value".to_owned();
            return Err(Failure { offset: open, message });
        }
        Ok(())
    }

    /// What begins with `#`: a set, a symbolic number, a namespaced map or a tag.
    fn dispatch<S: Sink>(&mut self) -> Parsed<S> {
        match self.peek_second() {
            Some(b'{') => {
                self.offset += 1;
                self.sequence(b'}').map(S::set)
            }
            Some(b'#') => {
                let start = self.offset;
                self.offset += 2;
                match self.token()? {
                    "Inf" | "-Inf" | "NaN" => Ok(S::number(&self.since(start))),
                    _ => self.fail("expected ##Inf, ##-Inf or ##NaN"),
                }
            }
            Some(b':') => {
                self.offset += 2;
                let namespace = self.token()?;
                if !is_keyword_name(namespace) {
                    return self.fail("a namespaced map without a namespace");
                }
                self.skip_blank()?;
                if self.peek() != Some(b'{') {
                    return self.fail("expected the map after its namespace");
                }
                self.map(|key| qualify(namespace, key)).map(S::map)
            }
            _ => {
                let tag = self.tag()?;
                let value = self.nested(Self::required)?;
                Ok(S::tagged(tag, value))
            }
        }
    }

    /// Is this the tag of a value, as in `#inst "2026"`?
    pub(crate) fn is_at_tag(&mut self) -> bool {
        self.peek() == Some(b'#') && !matches!(self.peek_second(), Some(b'{' | b'#' | b':') | None)
    }

    /// A tag; the cursor is on its `#`.
    pub(crate) fn tag(&mut self) -> Parsed<&'a str> {
        self.offset += 1;
        let tag = self.token()?;
        if is_symbol_name(tag) { Ok(tag) } else { self.fail("not a tag") }
    }

    fn since(&self, start: usize) -> String {
        String::from_utf8_lossy(&self.text[start..self.offset]).into_owned()
    }

    /// Bytes up to the next delimiter.
    fn token(&mut self) -> Parsed<&'a str> {
        let rest = &self.text[self.offset..];
        let length = rest.iter().position(|&b| is_delimiter(b)).unwrap_or(rest.len());
        self.met_end |= length == rest.len();
        match std::str::from_utf8(&rest[..length]) {
            Ok(token) => {
                self.offset += length;
                Ok(token)
            }
            Err(_) => self.fail("not UTF-8"),
        }
    }

    /// The name of a keyword, without its colon; the cursor is on the colon.
    pub(crate) fn keyword(&mut self) -> Parsed<&'a str> {
        let start = self.offset;
        if let Some(name) = self.plain_keyword() {
            return Ok(name);
        }
        let token = self.token()?;
        token
            .strip_prefix(':')
            .filter(|name| is_keyword_name(name))
            .ok_or_else(|| no_value(start, token))
    }

    /// Nearly every keyword, in one go: ASCII, and something follows.
    fn plain_keyword(&mut self) -> Option<&'a str> {
        let name = self.text.get(self.offset + 1..)?;
        let length = name.iter().position(|&byte| !SYMBOL_BYTES[usize::from(byte)])?;
        if length == 0 || name[0] == b':' || !is_delimiter(name[length]) {
            return None;
        }
        let name = std::str::from_utf8(&name[..length]).ok()?;
        self.offset += 1 + length;
        Some(name)
    }

    /// Nearly every number, in one go: a few digits, perhaps with a minus sign.
    pub(crate) fn small_integer(&mut self) -> Option<i64> {
        let text = &self.text[self.offset..];
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let (mut value, mut length) = (0, 0);
        for digit in digits.iter().take(DIGITS_MAX).take_while(|byte| byte.is_ascii_digit()) {
            value = value * 10 + i64::from(digit - b'0');
            length += 1;
        }
        let next = digits.get(length);
        let has_more = next.is_some_and(|&byte| !is_delimiter(byte));
        if length == 0 || has_more || (length > 1 && digits[0] == b'0') {
            return None;
        }
        self.met_end |= next.is_none();
        let is_negative = digits.len() < text.len();
        self.offset += usize::from(is_negative) + length;
        Some(if is_negative { -value } else { value })
    }

    /// A number, a keyword, a symbol, or one of the three words.
    fn atom<S: Sink>(&mut self) -> Parsed<S> {
        if self.peek() == Some(b':') {
            return self.keyword().map(S::keyword);
        }
        if let Some(small) = self.small_integer() {
            return Ok(S::int(small.into()));
        }
        let start = self.offset;
        let token = self.token()?;
        let atom = match token {
            "nil" => Some(S::nil()),
            "true" => Some(S::bool(true)),
            "false" => Some(S::bool(false)),
            _ if is_symbol_name(token) => Some(S::symbol(token)),
            _ => self::number(token),
        };
        atom.ok_or_else(|| no_value(start, token))
    }

    fn character(&mut self) -> Parsed<char> {
        self.offset += 1;
        // The first one may be a delimiter, as in `\(`.
        let rest = &self.text[self.offset..];
        let length = (1..rest.len()).find(|&i| is_delimiter(rest[i])).unwrap_or(rest.len());
        self.met_end |= length == rest.len();
        let Ok(name) = std::str::from_utf8(&rest[..length]) else { return self.fail("not UTF-8") };
        let mut chars = name.chars();
        let character = match (name, chars.next(), chars.as_str()) {
            (_, Some(only), "") => Some(only),
            ("newline", ..) => Some('\n'),
            ("return", ..) => Some('\r'),
            ("space", ..) => Some(' '),
            ("tab", ..) => Some('\t'),
            ("formfeed", ..) => Some('\x0c'),
            ("backspace", ..) => Some('\x08'),
            (_, Some('u'), hex) if hex.len() == 4 => {
                u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)
            }
            _ => None,
        };
        match character {
            Some(character) => {
                self.offset += length;
                Ok(character)
            }
            None => self.fail("not a character"),
        }
    }

    /// A string; the cursor is on its opening quote.
    fn string(&mut self) -> Parsed<Cow<'a, str>> {
        let open = self.offset;
        self.offset += 1;
        let first = self.plain(open)?;
        if self.peek() == Some(b'"') {
            self.offset += 1;
            return utf8(first, open).map(Cow::Borrowed);
        }
        let mut bytes = first.to_vec();
        while self.peek() == Some(b'\\') {
            self.offset += 1;
            let character = self.escape()?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            bytes.extend_from_slice(self.plain(open)?);
        }
        self.offset += 1;
        utf8(&bytes, open).map(|text| Cow::Owned(text.to_owned()))
    }

    /// The bytes up to the next quote or backslash.
    fn plain(&mut self, open: usize) -> Parsed<&'a [u8]> {
        let rest = &self.text[self.offset..];
        match rest.iter().position(|&b| b == b'"' || b == b'\\') {
            Some(length) => {
                self.offset += length;
                Ok(&rest[..length])
            }
            None => {
                self.met_end = true;
                let message = "this string is never closed".to_owned();
                Err(Failure { offset: open, message })
            }
        }
    }

    /// What follows the backslash in a string.
    fn escape(&mut self) -> Parsed<char> {
        let Some(byte) = self.peek() else { return self.fail("the text ends in an escape") };
        let character = match byte {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\x08',
            b'f' => '\x0c',
            b'"' | b'\\' | b'/' | b'\'' => char::from(byte),
            b'u' => {
                self.offset += 1;
                return self.unicode();
            }
            _ => return self.fail("an unknown escape"),
        };
        self.offset += 1;
        Ok(character)
    }

    /// Four hexadecimal digits, or two such escapes for a surrogate pair.
    fn unicode(&mut self) -> Parsed<char> {
        let first = self.hex4()?;
        let mut units = vec![first];
        self.met_end |= self.text.len() - self.offset < 2;
        if (0xD800..0xDC00).contains(&first) && self.text[self.offset..].starts_with(b"\\u") {
            self.offset += 2;
            units.push(self.hex4()?);
        }
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => Ok(character),
            _ => self.fail("half a surrogate pair"),
        }
    }

    fn hex4(&mut self) -> Parsed<u16> {
        let digits = self.text.get(self.offset..self.offset + 4);
        self.met_end |= digits.is_none();
        let digits = digits.filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let unit = digits
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| u16::from_str_radix(d, 16).ok());
        match unit {
            Some(unit) => {
                self.offset += 4;
                Ok(unit)
            }
            None => self.fail("expected four hexadecimal digits"),
        }
    }
}

fn is_delimiter(byte: u8) -> bool {
    const DELIMITERS: [bool; 256] = {
        let mut table = [false; 256];
        let delimiters = b" \t\n\r\x0c,()[]{}\";\\";
        let mut i = 0;
        while i < delimiters.len() {
            table[delimiters[i] as usize] = true;
            i += 1;
        }
        table
    };
    DELIMITERS[byte as usize]
}

fn utf8(bytes: &[u8], offset: usize) -> Parsed<&str> {
    std::str::from_utf8(bytes).map_err(|_| Failure { offset, message: "not UTF-8".to_owned() })
}

fn no_value(offset: usize, token: &str) -> Failure {
    let shown: String = token.chars().take(40).collect();
    Failure { offset, message: format!("expected an EDN value, found `{shown}`") }
}

pub(crate) fn duplicate_key(open: usize) -> Failure {
    Failure { offset: open, message: "a map with a duplicate key".to_owned() }
}

fn has_duplicates<S>(entries: &[(Edn, S)]) -> bool {
    let mut names: Vec<String> = entries.iter().map(|(key, _)| key_name(key)).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// `#:ns{:a 1}` means `{:ns/a 1}`.
fn qualify(namespace: &str, key: Edn) -> Edn {
    match key {
        Edn::Keyword(name) => match name.strip_prefix("_/") {
            Some(bare) => Edn::Keyword(bare.to_owned()),
            None if name.contains('/') => Edn::Keyword(name),
            None => Edn::Keyword(format!("{namespace}/{name}")),
        },
        other => other,
    }
}

/// Is this a number in Clojure's notation?
pub(crate) fn is_number(token: &str) -> bool {
    self::number::<()>(token).is_some() || matches!(token, "##Inf" | "##-Inf" | "##NaN")
}

/// A number in Clojure's notation.
fn number<S: Sink>(token: &str) -> Option<S> {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = unsigned.split_at(digits);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let as_written = || number::of_edn(token).map(|_| S::number(token));
    if rest.is_empty() {
        let fits = i128::from(i64::MIN)..=i128::from(u64::MAX);
        return match token.parse::<i128>() {
            Ok(integer) if fits.contains(&integer) => Some(S::int(integer)),
            _ => as_written(),
        };
    }
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if rest == "N" || rest.strip_prefix('/').is_some_and(all_digits) {
        return as_written();
    }
    let (decimal, exact) = match rest.strip_suffix('M') {
        Some(decimal) => (decimal, true),
        None => (rest, false),
    };
    let (fraction, exponent) = match decimal.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (decimal, None),
    };
    let fraction_fits = fraction.is_empty()
        || fraction.strip_prefix('.').is_some_and(|f| f.is_empty() || all_digits(f));
    let exponent_fits =
        exponent.is_none_or(|e| all_digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    if !fraction_fits || !exponent_fits {
        return None;
    }
    match token.parse::<f64>() {
        _ if exact => as_written(),
        Ok(float) if float.is_finite() => Some(S::float(float)),
        _ => as_written(),
    }
}
