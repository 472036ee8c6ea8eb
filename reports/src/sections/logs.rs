//! The end of each node's logs.

use crate::markup::{Long, Markup, grouped};
use crate::page::Page;

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    for tail in page.cluster.iter().flat_map(|cluster| &cluster.logs.tails) {
        if tail.bytes == 0 {
            out.push("<p class='log empty'>{} {}: empty</p>", &[&tail.node, &tail.stream]);
            continue;
        }
        let part = if tail.is_cut { ", its end" } else { "" };
        out.push(
            "<details class='log'><summary>{} {} <span class='dim'>({} bytes{})</span></summary><pre tabindex='0'>{}</pre></details>",
            &[&tail.node, &tail.stream, &grouped(tail.bytes), &part, &Long(&tail.text)],
        );
    }
    out
}
