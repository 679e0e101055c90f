//! Pages as a browser reads them, and what makes them usable without sight or a mouse.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use testkit::Answer;

const VOID: [&str; 2] = ["meta", "input"];

/// An element of a page.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// Names of the elements around it, the outermost first.
    pub(crate) within: Vec<String>,
    /// Its place and those of the elements around it.
    path: Vec<usize>,
    /// Its text and that of its content.
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn is_in(&self, other: &Self) -> bool {
        self.path.len() > other.path.len() && self.path.starts_with(&other.path)
    }
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) elements: Vec<Element>,
}

#[derive(Default)]
struct Reading {
    elements: Vec<Element>,
    open: Vec<usize>,
}

#[derive(Default)]
struct Reader(RefCell<Reading>);

impl Reading {
    fn begin(&mut self, tag: &Tag) {
        let place = self.elements.len();
        let attribute =
            |attribute: &html5ever::Attribute| (attribute.name.local.to_string(), attribute.value.to_string());
        self.elements.push(Element {
            name: tag.name.to_string(),
            attributes: tag.attrs.iter().map(attribute).collect(),
            within: self
                .open
                .iter()
                .map(|place| self.elements[*place].name.clone())
                .collect(),
            path: self.open.iter().copied().chain([place]).collect(),
            text: String::new(),
        });
        if !VOID.contains(&&*tag.name) {
            self.open.push(place);
        }
    }

    fn end(&mut self, tag: &Tag) {
        let place = self.open.pop().expect("an element is open");
        assert_eq!(self.elements[place].name, *tag.name, "elements end in their order");
    }
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        let mut reading = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => reading.begin(&tag),
            Token::TagToken(tag) => reading.end(&tag),
            Token::CharacterTokens(text) => {
                for place in reading.open.clone() {
                    reading.elements[place].text.push_str(&text);
                }
            }
            Token::ParseError(error) => panic!("line {line}: {error}"),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Page {
    /// Reads a page. Every element is closed where it should be.
    pub(crate) fn read(html: &str) -> Self {
        assert!(html.starts_with("<!doctype html>"), "{html}");
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from(html));
        let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
        let _ = tokenizer.feed(&queue);
        tokenizer.end();
        let Reading { elements, open } = tokenizer.sink.0.into_inner();
        assert!(open.is_empty(), "everything is closed");
        Self { elements }
    }

    /// The page in an answer.
    pub(crate) fn of(answer: &Answer) -> Self {
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        Self::read(answer.text())
    }

    /// The elements of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.name == name)
    }

    /// The only element of this name.
    pub(crate) fn only_element(&self, name: &str) -> &Element {
        let mut found = self.elements.iter().filter(|element| element.name == name);
        let first = found.next().unwrap_or_else(|| panic!("there is no {name}"));
        assert!(found.next().is_none(), "there are several of {name}");
        first
    }

    /// The value of a hidden field.
    pub(crate) fn hidden_value(&self, name: &str) -> Option<&str> {
        let mut fields = self.all("input").filter(|input| input.get("type") == Some("hidden"));
        fields.find(|input| input.get("name") == Some(name))?.get("value")
    }

    /// The names of the boxes with this attribute.
    pub(crate) fn boxes(&self, attribute: &str) -> Vec<&str> {
        let boxes = self.all("input").filter(|input| input.get("type") == Some("checkbox"));
        let with = boxes.filter(|input| input.get(attribute).is_some());
        with.filter_map(|input| input.get("name")).collect()
    }

    /// Requires what the guidelines (WCAG 2.2) demand of the structure of such a page: language and direction, a title, landmarks,
    /// headings in order, names of all controls, groups with a legend, references that lead somewhere. And that the page loads and
    /// runs nothing.
    pub(crate) fn is_accessible(&self) {
        let html = self.only_element("html");
        let expected = match html.get("lang") {
            Some("en") => "ltr",
            Some("ar") => "rtl",
            other => panic!("the language is {other:?}"),
        };
        assert_eq!(html.get("dir"), Some(expected));
        assert!(!self.only_element("title").text.trim().is_empty());
        let viewport = self.all("meta").find(|meta| meta.get("name") == Some("viewport"));
        let viewport = viewport.and_then(|meta| meta.get("content")).unwrap_or_default();
        assert_eq!(viewport, "width=device-width, initial-scale=1", "people may zoom");
        self.has_landmarks_and_headings();
        self.has_named_controls();
        self.is_alone();
    }

    fn has_landmarks_and_headings(&self) {
        let (main, header) = (self.only_element("main"), self.only_element("header"));
        for element in self
            .elements
            .iter()
            .filter(|element| element.within.iter().any(|name| name == "body"))
        {
            let landmark = ["main", "header"].contains(&element.name.as_str());
            assert!(landmark || element.is_in(main) || element.is_in(header), "{element:?}");
        }
        assert!(self.only_element("h1").is_in(main));
        let mut level = 0;
        for heading in &self.elements {
            let own = match heading.name.as_str() {
                "h1" => 1,
                "h2" => 2,
                "h3" => 3,
                _ => continue,
            };
            assert!(own <= level + 1, "no level is left out: {heading:?}");
            assert!(!heading.text.trim().is_empty());
            level = own;
        }
    }

    fn has_named_controls(&self) {
        let mut ids: Vec<&str> = self.elements.iter().filter_map(|element| element.get("id")).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "ids are unique");
        for input in self.all("input").filter(|input| input.get("type") != Some("hidden")) {
            let id = input.get("id").expect("a control has an id");
            let labels: Vec<&Element> = self.all("label").filter(|label| label.get("for") == Some(id)).collect();
            assert_eq!(labels.len(), 1, "{id}");
            assert!(!labels[0].text.trim().is_empty(), "{id}");
            assert!(input.within.iter().any(|name| name == "fieldset"), "{id}");
            if let Some(hint) = input.get("aria-describedby") {
                assert!(ids.contains(&hint), "{id}: {hint}");
            }
        }
        for fieldset in self.all("fieldset") {
            let first = self.elements.iter().find(|element| element.is_in(fieldset));
            let legend = first.expect("a group has content");
            assert_eq!(legend.name, "legend");
            assert!(!legend.text.trim().is_empty());
        }
        for form in self.all("form") {
            assert_eq!(form.get("method"), Some("post"));
            let mut buttons = self.all("button").filter(|button| button.is_in(form));
            assert!(buttons.any(|button| !button.text.trim().is_empty()), "{form:?}");
        }
        for link in self.all("a") {
            assert!(link.get("href").is_some() && !link.text.trim().is_empty(), "{link:?}");
        }
    }

    fn is_alone(&self) {
        for element in &self.elements {
            let allowed = !["script", "link", "img", "iframe", "object", "base"].contains(&element.name.as_str());
            assert!(allowed, "{element:?}");
            for (name, value) in &element.attributes {
                let harmless = name != "style" && name != "src" && !name.starts_with("on");
                assert!(harmless && !value.contains("//"), "{element:?}");
            }
        }
    }
}
