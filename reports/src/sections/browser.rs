//! The operations browser: a frame here, rows by script.

use crate::browser::Columns;
use crate::markup::{Markup, counted, grouped};
use crate::page::Page;

const FORM: &str = "<noscript><p class='hint'>Browsing all operations needs JavaScript; history.jsonl beside this page has them, one event a line.</p></noscript>\
<form id='filters' hidden><label>Process <input name='process' inputmode='numeric' size='6'></label>\
<label>Function <select name='f'><option value=''>all</option></select></label>\
<label>Outcome <select name='outcome'><option value=''>all</option><option value='o'>ok</option><option value='f'>fail</option><option value='i'>info</option><option value='p'>open</option></select></label>\
<label>Node <select name='node'><option value=''>all</option></select></label>\
<label>Contains <input name='text' type='search' size='14' placeholder='key or value'></label>\
<label><input name='witness' type='checkbox'> only witnesses</label>\
<button type='reset'>Show all</button><output id='found' aria-live='polite'></output></form>\
<div id='rows' tabindex='0' role='grid' aria-label='Operations' hidden></div>";

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    let total = page.operations.rows.len();
    if total == 0 {
        return out;
    }
    let columns = Columns::new(page);
    if columns.len() < total {
        out.push(
            "<p class='hint'>{} of {} are here: the first {} and those around the violations. The rest is in history.jsonl.</p>",
            &[&grouped(columns.len() as u64), &counted(total as u64, "operation"), &grouped(columns.first as u64)],
        );
    }
    out.raw(FORM);
    out.push(
        "<script type='application/json' id='operations'>{}</script>",
        &[&Markup::json(&columns)],
    );
    out
}
