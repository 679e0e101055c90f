//! Reading records from pieces of a file.

use std::fmt::Write as _;
use std::iter;

use proptest::prelude::*;
use sheet::bounds::{MAX_COLUMNS, MAX_RECORD_LENGTH};
use sheet::reader::{Form, Item, Position, Problem, Reader, Separator};

pub(crate) fn form(encoding: &str, separator: Separator, columns: usize) -> Form {
    Form {
        encoding: encoding.parse().unwrap(),
        separator: Some(separator),
        columns,
    }
}

/// The items that a reader gives of the bytes from its position on.
pub(crate) fn all(mut reader: Reader, mut bytes: &[u8]) -> Vec<Item> {
    iter::from_fn(|| reader.read(&mut bytes).or_else(|| reader.finish())).collect()
}

fn is_damage(item: &Item) -> bool {
    matches!(item, Err(broken) if broken.problem.is_damage())
}

/// The items of a file in pieces of these lengths, again and again, each with the position behind it.
pub(crate) fn items(form: Form, from: Position, file: &[u8], lengths: &[usize]) -> Vec<(Item, Position)> {
    let mut reader = Reader::new(form, from);
    let mut items = Vec::new();
    let mut rest = file;
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let (mut piece, after) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
        rest = after;
        while let Some(item) = reader.read(&mut piece) {
            items.push((item, reader.position()));
        }
        assert!(piece.is_empty());
        let records = if form.separator.is_some() { 1 } else { 2 };
        assert!(
            reader.kept_length() <= records * MAX_RECORD_LENGTH + 4,
            "{}",
            reader.kept_length()
        );
    }
    while let Some(item) = reader.finish() {
        items.push((item, reader.position()));
    }
    assert_eq!(reader.finish(), None);
    if !items.last().is_some_and(|(item, _)| is_damage(item)) {
        assert_eq!(reader.position().offset, from.offset + file.len() as u64);
    }
    items
}

/// Each row's number with its cells, or its problem.
fn rows(form: Form, file: &[u8]) -> Vec<(u64, Result<Vec<String>, Problem>)> {
    let items = items(form, Position::START, file, &[usize::MAX]).into_iter();
    let rows = items.map(|(item, _)| match item {
        Ok(record) => (record.row, Ok(record.cells().map(str::to_owned).collect())),
        Err(broken) => (broken.record.row, Err(broken.problem)),
    });
    rows.collect()
}

fn good(cells: &[&str]) -> Result<Vec<String>, Problem> {
    Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
}

const COMMAS: fn(usize) -> Form = |columns| form("UTF-8", Separator::Comma, columns);

#[test]
fn all_line_ends_end_a_row() {
    let file = b"a,b\nc,d\r\ne,f\rg,h\n\n\r\n\"i\r\nj\",k\nl,m";
    let found = rows(COMMAS(2), file);
    let expected = [
        (1, good(&["a", "b"])),
        (2, good(&["c", "d"])),
        (3, good(&["e", "f"])),
        (4, good(&["g", "h"])),
        (7, good(&["i\r\nj", "k"])),
        (8, good(&["l", "m"])),
    ];
    assert_eq!(found, expected);
    let items = items(COMMAS(2), Position::START, file, &[1]);
    let lines = items.iter().map(|(item, _)| match item {
        Ok(record) => record.line,
        Err(broken) => broken.record.line,
    });
    assert_eq!(lines.collect::<Vec<_>>(), [1, 2, 3, 4, 7, 9]);
}

#[test]
fn quotes_separators_and_spaces_are_kept() {
    let file = "\"a,\"\"b\"\"\n\", c \n\"\",\"x\" \na\"b,\"\"\n\"Maya \"M\" H\",1\nx,y\n";
    let expected = [
        (1, good(&["a,\"b\"\n", " c "])),
        (2, good(&["", "x "])),
        (3, good(&["a\"b", ""])),
        (4, Err(Problem::StrayQuote)),
        (5, good(&["x", "y"])),
    ];
    assert_eq!(rows(COMMAS(2), file.as_bytes()), expected);
}

#[test]
fn rows_may_have_fewer_cells_but_not_more() {
    let file = b"a\na,b,c\na,b,,\n, ,\n";
    let expected = [(1, good(&["a"])), (2, Err(Problem::ExtraCells)), (3, good(&["a", "b"]))];
    assert_eq!(rows(COMMAS(2), file), expected);
    let many = format!("a\n{}\nb\n", ",x".repeat(10_000));
    let expected = [(1, good(&["a"])), (2, Err(Problem::TooManyCells)), (3, good(&["b"]))];
    assert_eq!(rows(COMMAS(200), many.as_bytes()), expected);
    let most = format!("{}\n", ",x".repeat(MAX_COLUMNS - 1));
    assert!(rows(COMMAS(200), most.as_bytes())[0].1.is_ok());
    let more = format!("{}\n", ",x".repeat(MAX_COLUMNS));
    assert_eq!(rows(COMMAS(200), more.as_bytes())[0].1, Err(Problem::TooManyCells));
}

/// Nobody knows where the cell was to end: the rows behind would become others.
#[test]
fn an_open_quote_ends_the_table_at_its_row() {
    let open = |row| (row, Err(Problem::OpenQuote));
    let mut long = String::from("a,b\n\"c,d\n");
    for row in 0..20_000 {
        writeln!(long, "{row},x").unwrap();
    }
    assert_eq!(rows(COMMAS(2), long.as_bytes()), [(1, good(&["a", "b"])), open(2)]);
    let found = rows(COMMAS(2), b"a,b\r\n\r\n\"a,b\r\nb,c");
    assert_eq!(found, [(1, good(&["a", "b"])), open(3)]);
    assert_eq!(rows(COMMAS(2), b"\"a,b"), [open(1)]);
    assert_eq!(rows(COMMAS(2), b"a,\"b\nDear all\nd,e\nx,\"y"), [open(1)]);
    let blank = format!("\"a{}", "\n".repeat(1 << 18));
    assert_eq!(items(COMMAS(2), Position::START, blank.as_bytes(), &[1000]).len(), 1);
    // Between two open quotes, the rows would be one cell.
    assert_eq!(rows(COMMAS(2), b"\"a,b\n\"c,d\ne,f\n"), [open(1)]);
    assert_eq!(rows(COMMAS(2), b"\"a\nb\" c,d\ne,f\n"), [open(1)]);
    let found = items(COMMAS(2), Position::START, b"x,y\n\"a,b\nc,d\n", &[3]);
    let (Err(broken), position) = &found[1] else {
        panic!("the row is broken");
    };
    assert_eq!(broken.record.cell(0), "a,b\nc,d\n");
    assert_eq!((position.offset, position.row), (4, 2), "it is not behind the row");
}

#[test]
fn a_row_of_any_length_is_skipped() {
    let mut reader = Reader::new(COMMAS(2), Position::START);
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..16 {
        assert_eq!(reader.read(&mut &piece[..]), None);
        assert!(reader.kept_length() <= MAX_RECORD_LENGTH);
    }
    let mut last = &b"\r\na,b\n"[..];
    let Some(Err(broken)) = reader.read(&mut last) else {
        panic!("the row is too long");
    };
    assert_eq!((broken.problem, broken.record.row), (Problem::TooLong, 1));
    assert_eq!(reader.position().offset, (16 << 20) + 2);
    let Some(Ok(record)) = reader.read(&mut last) else {
        panic!("the next row is good");
    };
    assert_eq!((record.row, record.line, record.cell(1)), (2, 2, "b"));
}

/// The part left out of a row does not say whether its quote is open; the part before it does.
#[test]
fn a_long_line_behind_an_open_quote_ends_the_table() {
    let long = "x".repeat(70 * 1024);
    let ends = |file: &str| {
        let found = rows(COMMAS(2), file.as_bytes());
        assert_eq!(found, [(1, good(&["a", "b"])), (2, Err(Problem::OpenQuote))]);
    };
    ends(&format!("a,b\n\"c\n{long}\nd,e\n"));
    ends(&format!("a,b\n\"c\n{}\nd,e\n", " ".repeat(70 * 1024)));
    ends(&format!("a,b\n\"c\nc\n{long}"));
    ends(&format!("a,b\nx,\"c\r\n\"\"{long}\r\nd,e\r\n"));
    for closed in ["\"a\nb\nc\",", "\"a\nb\nc\",\"", "\"a\n\"\"b\"\"\nc\",x,"] {
        let found = rows(COMMAS(2), format!("{closed}{long}\nd,e\n").as_bytes());
        assert_eq!(found, [(1, Err(Problem::TooLong)), (2, good(&["d", "e"]))], "{closed}");
    }
}

#[test]
fn invalid_characters_end_the_table_at_their_row() {
    let file = b"J\xc3\xbcrgen,1\nMaya\0,2\n\xef\xbb\xbf\"x, y\",3\nz\xef\xbb\xbf,4\n\xef\xbb\xbf\n\"1\n2\0\",J\xfcrgen\nz,5\n";
    let expected = [
        (1, good(&["Jürgen", "1"])),
        (2, Err(Problem::Nul)),
        (3, good(&["x, y", "3"])),
        (4, good(&["z", "4"])),
        (6, Err(Problem::Undecodable)),
    ];
    assert_eq!(rows(COMMAS(2), file), expected);
    let Err(broken) = &items(COMMAS(2), Position::START, file, &[7])[4].0 else {
        panic!("the row is broken");
    };
    assert_eq!(broken.record.cell(1), "J\u{fffd}rgen");
}

#[test]
fn utf_16_is_read_in_units() {
    let text = "مايا,\"1\r\n2\"\r\n\u{feff}ഊ,਍\r\n😀,x";
    for encoding in ["UTF-16LE", "UTF-16BE"] {
        let bytes = match encoding {
            "UTF-16LE" => u16::to_le_bytes,
            _ => u16::to_be_bytes,
        };
        let mut file: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
        let form = form(encoding, Separator::Comma, 2);
        let expected = [
            (1, good(&["مايا", "1\r\n2"])),
            (2, good(&["ഊ", "਍"])),
            (3, good(&["😀", "x"])),
        ];
        assert_eq!(rows(form, &file), expected);
        // Half a pair, and half a unit.
        file.extend(bytes(b'\n'.into()));
        file.extend(bytes(0xd83d));
        file.push(b'x');
        assert_eq!(rows(form, &file)[3], (4, Err(Problem::Undecodable)));
    }
}

#[test]
fn other_encodings_are_decoded() {
    let form = form("windows-1256", Separator::Semicolon, 2);
    assert_eq!(rows(form, b"\xe3\xc7\xed\xc7;1\n"), [(1, good(&["مايا", "1"]))]);
    // In Shift_JIS, the second byte of this letter is a backslash, and of the next one a pipe.
    let form = self::form("Shift_JIS", Separator::Comma, 2);
    assert_eq!(rows(form, b"\x83\x5c\x83\x7c,1\n"), [(1, good(&["ソポ", "1"]))]);
}

/// Bytes that matter to readers, more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            &b"\""[..], b",", b"\n", b"\r", b"\r\n", b"\"\"", b"a", b"\"a\"", b" ", b"\xef\xbb\xbf", b"\xef", b"\0", b"\xff\xfe", b"'=",
        ]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

fn any_form() -> impl Strategy<Value = Form> {
    let encodings =
        prop::sample::select(&["UTF-8", "UTF-16LE", "UTF-16BE", "windows-1252", "Shift_JIS", "gb18030"][..]);
    let separators = prop::sample::select(Separator::ALL.to_vec());
    (encodings, separators, 1_usize..5).prop_map(|(encoding, separator, columns)| form(encoding, separator, columns))
}

/// A file whose quotes stay open longer than a record may be.
fn long_bytes() -> impl Strategy<Value = Vec<u8>> {
    let long = (
        prop::sample::select(vec![&b"x"[..], b"\n", b"x\n", b"x,\"\"\r\n", b"a\"b,\"c\n"]),
        1_usize..3,
    );
    (bytes(), long, bytes()).prop_map(|(before, (line, times), after)| {
        let middle = line.repeat(times * MAX_RECORD_LENGTH / line.len());
        [before, b",\"".to_vec(), middle, after].concat()
    })
}

/// Reads the whole, then in pieces, then from some of the positions.
pub(crate) fn holds(form: Form, file: &[u8], lengths: &[usize]) -> Result<(), TestCaseError> {
    let whole = items(form, Position::START, file, &[usize::MAX]);
    prop_assert_eq!(&items(form, Position::START, file, lengths), &whole);
    let some = whole.len().div_ceil(12).max(1);
    for (index, (item, position)) in whole.iter().enumerate().step_by(some) {
        let from = usize::try_from(position.offset).unwrap();
        let json = serde_json::to_string(position).unwrap();
        let position = serde_json::from_str(&json).unwrap();
        let rest = items(form, position, &file[from..], lengths);
        let from = if is_damage(item) { index } else { index + 1 };
        prop_assert_eq!(&rest[..], &whole[from..]);
    }
    for (item, _) in &whole {
        if let Ok(record) = item {
            prop_assert!(record.len() <= form.columns && (form.separator.is_none() || !record.is_blank()));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn pieces_and_resuming_change_nothing(
        file in bytes(), form in any_form(), lengths in prop::collection::vec(1_usize..9, 1..5),
    ) {
        holds(form, &file, &lengths)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn pieces_and_resuming_change_nothing_in_long_files(
        file in long_bytes(), form in any_form(), lengths in prop::collection::vec(1_usize..70_000, 1..5),
    ) {
        holds(form, &file, &lengths)?;
    }
}
