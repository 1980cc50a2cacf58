//! The scaffolding of every report: one self-contained HTML page, made of a few kinds of parts.
//!
//! [`Html`] is text that is safe to put into a page. The only ways to make one escape what they are given, so a name like
//! `<x>` cannot break a page, and a part cannot be escaped twice. No script, no external resource: a page works from a disk,
//! in an e-mail and in ten years.

pub use crate::words::{bytes, escape, joules, percent, sentence, shape_words, thousands};

use crate::palette::{self, Colour};
use crate::pictures::Picture;
use crate::trust::{self, Trust};

const STYLE: &str = include_str!("page.css");

/// Finished HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(pub(crate) String);

impl Html {
    /// Escaped text.
    pub fn text(text: &str) -> Self {
        Html(escape(text))
    }

    /// One part after the other.
    pub fn join(parts: impl IntoIterator<Item = Html>) -> Self {
        Html(parts.into_iter().map(|p| p.0 + "\n").collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn element(tag: &str, class: &str, inner: &str) -> Self {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        Html(format!("<{tag}{class}>{inner}</{tag}>"))
    }
}

/// The badges of a figure, or nothing for a part without figures.
pub fn badges(trust: &[Trust]) -> Html {
    let badge = |t: &Trust| {
        format!("<span class=\"trust {}\" title=\"{}\">{}</span>", t.class(), escape(t.meaning()), escape(t.word()))
    };
    Html(trust.iter().map(badge).collect::<Vec<_>>().join(" "))
}

/// A paragraph with figures, and what they rest on.
pub fn statement(trust: &[Trust], text: &str) -> Html {
    Html(format!("<p>{} {}</p>", escape(text), badges(trust).0))
}

/// A paragraph.
pub fn paragraph(text: &str) -> Html {
    Html::element("p", "", &escape(text))
}

/// A command line or other text in its own line breaks.
pub fn code_block(text: &str) -> Html {
    Html::element("pre", "", &escape(text))
}

/// Terms and what they mean.
pub fn definitions(rows: &[(&str, String)]) -> Html {
    let inner: String =
        rows.iter().map(|(term, text)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(term), escape(text))).collect();
    Html::element("dl", "", &inner)
}

/// The last of the [`definitions`] of what was run: command, time, revision of the sources.
pub fn origin(command: &str, date: &str, revision: &Option<String>) -> [(&'static str, String); 3] {
    let revision = revision.clone().unwrap_or_else(|| "not recorded".into());
    [("Command", command.into()), ("Made", date.into()), ("Revision", revision)]
}

/// When a record was made, and from which sources: a line under a page's title.
pub fn made(date: &str, revision: &Option<String>) -> String {
    revision.as_ref().map_or(date.into(), |r| format!("{date} · revision {r}"))
}

/// Something the reader may open.
pub fn details(summary: &str, inner: Html) -> Html {
    Html(format!("<details><summary>{}</summary>\n{}</details>", escape(summary), inner.0))
}

/// A number to see first.
#[derive(Clone, Debug)]
pub struct BigNumber {
    pub value: String,
    pub unit: String,
    /// One line below: what it is, or what to compare it with.
    pub note: String,
    /// Shown as something gone wrong.
    pub alarm: bool,
    pub trust: &'static [Trust],
}

/// A link; `href` is a file beside the page, a place on it, or an address.
pub fn link(href: &str, text: &str) -> Html {
    Html(format!("<a href=\"{}\">{}</a>", escape(href), escape(text)))
}

/// The way to the sections of a long page: id and heading of each.
pub fn contents(sections: &[(&str, &str)]) -> Html {
    let links: String = sections.iter().map(|(id, text)| link(&format!("#{id}"), text).0).collect();
    Html::element("nav", "", &links)
}

/// What a reader must know before anything else.
pub fn banner(heading: &str, lines: &[Html]) -> Html {
    let items: String = lines.iter().map(|l| format!("<li>{}</li>", l.0)).collect();
    Html(format!("<aside class=\"banner\" role=\"alert\"><strong>{}</strong><ul>{items}</ul></aside>", escape(heading)))
}

/// Under a figure: the file with its numbers and the command that makes it.
pub fn provenance(file: &str, command: &str) -> Html {
    Html(format!("<p class=\"from\">{} <code>{}</code></p>", link(file, file).0, escape(command)))
}

/// The row of big numbers.
pub fn big_numbers(numbers: &[BigNumber]) -> Html {
    big_numbers_in("numbers", numbers)
}

/// [`big_numbers`] in a grid of its own class.
pub fn big_numbers_in(class: &str, numbers: &[BigNumber]) -> Html {
    let inner: String = numbers
        .iter()
        .map(|n| {
            format!(
                "<li{}><span class=\"value\">{}</span> <span class=\"unit\">{}</span> {}<span class=\"note\">{}</span></li>\n",
                if n.alarm { " class=\"alarm\"" } else { "" },
                escape(&n.value),
                escape(&n.unit),
                badges(n.trust).0,
                escape(&n.note)
            )
        })
        .collect();
    Html::element("ul", class, &inner)
}

/// A picture with its title, how to read it, and its legend.
#[derive(Clone, Debug)]
pub struct Figure<'a> {
    pub title: &'a str,
    /// How to read it and what to look for.
    pub reading: &'a str,
    pub picture: &'a Picture,
    pub legend: &'a [(&'static Colour, &'a str)],
    pub trust: &'a [Trust],
}

/// Places a figure. On a narrow screen the narrow drawing is shown if there is one; otherwise the picture scrolls sideways.
pub fn figure(f: &Figure) -> Html {
    let title = Html::element("h3", "", &format!("{} {}", escape(f.title), badges(f.trust).0)).0;
    let reading = Html::element("p", "reading", &escape(f.reading)).0;
    let drawing = match &f.picture.narrow {
        Some(narrow) => format!("<div class=\"wide\">{}</div>\n<div class=\"narrow\">{narrow}</div>", f.picture.wide),
        None => format!("<div class=\"scroll\" tabindex=\"0\">{}</div>", f.picture.wide),
    };
    let keys: String = f
        .legend
        .iter()
        .map(|(c, label)| format!("<li><i style=\"background:{}\"></i>{}</li>", c.css(), escape(label)))
        .collect();
    let legend = if keys.is_empty() { String::new() } else { Html::element("ul", "legend", &keys).0 };
    Html(format!("<figure>\n{title}\n<figcaption>{reading}\n{legend}</figcaption>\n{drawing}\n</figure>"))
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    pub name: &'a str,
    /// Empty for text.
    pub unit: &'a str,
    /// Right-aligned, digits of equal width.
    pub number: bool,
}

impl<'a> Column<'a> {
    pub fn text(name: &'a str) -> Self {
        Column { name, unit: "", number: false }
    }
    pub fn number(name: &'a str, unit: &'a str) -> Self {
        Column { name, unit, number: true }
    }
}

/// A table; the first cell of each row is the row's header.
pub fn table(caption: &str, trust: &[Trust], columns: &[Column], rows: &[Vec<String>]) -> Html {
    let rows: Vec<Vec<Html>> = rows.iter().map(|r| r.iter().map(|c| Html::text(c)).collect()).collect();
    table_of(caption, trust, columns, &rows)
}

/// A [`table`] whose cells are more than text.
pub fn table_of(caption: &str, trust: &[Trust], columns: &[Column], rows: &[Vec<Html>]) -> Html {
    let class = |c: &Column| if c.number { " class=\"number\"" } else { "" };
    let head: String = columns
        .iter()
        .map(|c| {
            let unit = if c.unit.is_empty() { String::new() } else { format!(" <small>{}</small>", escape(c.unit)) };
            format!("<th scope=\"col\"{}>{}{unit}</th>", class(c), escape(c.name))
        })
        .collect();
    let body: String = rows
        .iter()
        .map(|row| {
            let cells: String = columns
                .iter()
                .zip(row)
                .enumerate()
                .map(|(i, (c, cell))| match i {
                    0 => format!("<th scope=\"row\"{}>{}</th>", class(c), cell.0),
                    _ => format!("<td{}>{}</td>", class(c), cell.0),
                })
                .collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    Html(format!(
        "<div class=\"scroll\" tabindex=\"0\"><table><caption>{} {}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>",
        escape(caption),
        badges(trust).0
    ))
}

/// A page under construction.
#[derive(Debug)]
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    /// Starts a page: its title and the lines under it (what, where from, when).
    pub fn new(title: &str, lead: &[String]) -> Self {
        let lines: String = lead.iter().map(|l| Html::element("p", "", &escape(l)).0 + "\n").collect();
        let header = format!("<header>\n<h1>{}</h1>\n{lines}</header>\n", escape(title));
        Page { title: title.to_string(), body: header }
    }

    pub fn add(&mut self, part: Html) -> &mut Self {
        self.body += &part.0;
        self.body.push('\n');
        self
    }

    /// A section with a heading of its own.
    pub fn section(&mut self, heading: &str, parts: impl IntoIterator<Item = Html>) -> &mut Self {
        let inner = Html::join(parts).0;
        self.add(Html(format!("<section>\n<h2>{}</h2>\n{inner}</section>", escape(heading))))
    }

    /// A [`Page::section`] that a link on the page can lead to: `#id`.
    pub fn anchored(&mut self, id: &str, heading: &str, parts: impl IntoIterator<Item = Html>) -> &mut Self {
        let inner = Html::join(parts).0;
        self.add(Html(format!("<section id=\"{}\">\n<h2>{}</h2>\n{inner}</section>", escape(id), escape(heading))))
    }

    /// What the badges on the page mean.
    fn key(&self) -> String {
        let used = trust::ALL.into_iter().filter(|t| self.body.contains(&format!("class=\"trust {}\"", t.class())));
        let rows: String =
            used.map(|t| format!("<dt>{}</dt><dd>{}</dd>\n", badges(&[t]).0, escape(t.meaning()))).collect();
        let heading = Html::element("h2", "", "What stands beside a figure").0;
        if rows.is_empty() {
            rows
        } else {
            format!("<section>\n{heading}\n<dl>\n{rows}</dl></section>\n")
        }
    }

    /// The whole document.
    pub fn render(&self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
             <style>\n{}{STYLE}</style>\n</head>\n<body>\n<main>\n{}{}</main>\n</body>\n</html>\n",
            escape(&self.title),
            palette::css(),
            self.body,
            self.key()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_everywhere() {
        let nasty = "<x> & \"y\" 'z'\u{0}";
        let safe = "&lt;x&gt; &amp; &quot;y&quot; &#39;z&#39;\u{FFFD}";
        let parts = [
            paragraph(nasty),
            code_block(nasty),
            definitions(&[(nasty, nasty.into())]),
            details(nasty, Html::default()),
            table(nasty, trust::WORDS, &[Column::text(nasty)], &[vec![nasty.into()]]),
        ];
        for html in parts {
            assert!(html.0.contains(safe) && !html.0.contains("<x>"), "{}", html.0);
        }
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(
            [thousands(0), thousands(999), thousands(1000), thousands(1234567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(percent(0.8761), "87.6 %");
        assert_eq!(
            [joules(0.2), joules(2.2e-3), joules(6.774e-4), joules(1.5e-6)],
            ["0.20 J", "2.20 mJ", "677.4 µJ", "1.5 µJ"]
        );
        assert_eq!([sentence("no wires"), sentence("É."), sentence("")], ["No wires.", "É.", ""]);
        assert_eq!([bytes(9_999), bytes(125_000), bytes(12_340_000)], ["9,999 B", "125.0 kB", "12.34 MB"]);
    }
}
