//! From columns to contacts: suggestions, values, errors, previews.

use domain::people::{Field, Stage};
use proptest::prelude::*;
use serde_json::{Value, from_value, json, to_value};
use sheet::bounds::MAX_ERRORS;
use sheet::dialect::Dialect;
use sheet::mapping::{Mapping, Target};
use sheet::preview::{preview, records};
use sheet::record::{Record, RowError};
use sheet::row::{Context, Row};
use sheet::suggest::{consents_left_out, numbers_left_out, suggest};

use crate::detecting::detect_dialect;

fn field(number: u64, key: &str, name: &str, kind: &str) -> Field {
    let id = format!("fld_{number:026}");
    let options: &[&str] = if kind == "choice" { &["Silver", "Gold"] } else { &[] };
    from_value(json!({"id": id, "key": key, "name": name, "type": kind, "options": options})).unwrap()
}

pub(crate) fn fields() -> Vec<Field> {
    vec![
        field(1, "level", "Loyalty level", "choice"),
        field(2, "visits", "Visits", "number"),
        field(3, "birthday", "Birthday", "date"),
        field(4, "vip", "VIP", "yes_no"),
        field(5, "city", "City", "text"),
    ]
}

pub(crate) fn stages() -> [Stage; 1] {
    let stage = json!({"id": "stg_00000000000000000000000001", "name": "New", "position": 1});
    [from_value(stage).unwrap()]
}

pub(crate) fn context<'a>(dialect: &'a Dialect, fields: &'a [Field]) -> Context<'a> {
    Context {
        dialect,
        fields,
        region: Some("AE"),
    }
}

fn suggested_mapping(file: &str, fields: &[Field]) -> Mapping {
    let dialect = detect_dialect(file.as_bytes()).unwrap();
    let context = context(&dialect, fields);
    let samples = records(file.as_bytes(), true, &context, 20);
    let mapping = suggest(&samples, &stages(), &context);
    let problems = mapping.problems(dialect.columns, fields);
    let incomplete = problems.iter().all(|problem| problem.field == "columns");
    assert!(incomplete, "{file}: {problems:?}");
    mapping
}

/// Each column's target, `-` for none.
fn targets(file: &str, fields: &[Field]) -> Vec<String> {
    let mapping = suggested_mapping(file, fields);
    let columns = file.lines().next().unwrap().split([',', ';', '\t']).count();
    let target = |column: usize| {
        let mapped = mapping.columns.iter().find(|mapped| mapped.index() == column);
        match mapped.map(|mapped| to_value(&mapped.target).unwrap()) {
            None => "-".to_owned(),
            Some(Value::String(target)) => target,
            Some(field) => field["field"].as_str().unwrap().to_owned(),
        }
    };
    (0..columns).map(target).collect()
}

#[test]
fn columns_are_known_in_five_languages() {
    for line in [
        "Full Name,Mobile,E-mail,Tags,Notes → name phone email tags -",
        "First Name,Last Name,Phone 1 - Value,Phone 2 - Value → first_name last_name phone phone",
        "الاسم,رقم الجوال,البريد الإلكتروني,اللغة,المدينة → name phone email language -",
        "Vorname;Name;Handynummer;E-Mail → first_name last_name phone email",
        "Nom;Prénom;Téléphone;Courriel → last_name first_name phone email",
        "Nombre;Apellidos;Teléfono móvil;Correo electrónico → first_name last_name phone email",
        "Name,First name,Last name,Phone → name - - phone",
        "Name,Name,Phone → name - phone",
        "Customer,LOYALTY_LEVEL,visits,Birthday,City → name level visits birthday city",
        "Name,Opted in,Opt-in date,Lead source,Deal value,Stage,Owner → name opted_in opted_in_at source value - owner",
        "ID,Name,Fax,ZIP,Error → - name - - -",
    ] {
        let (header, expected) = line.split_once(" → ").unwrap();
        let targets = targets(&format!("{header}\n"), &fields());
        assert_eq!(targets.join(" "), expected, "{header}");
    }
}

#[test]
fn fields_that_differ_by_a_number_are_not_mixed_up() {
    let fields = [
        field(1, "address_1", "Address 1", "text"),
        field(2, "address_2", "Second address", "text"),
        field(3, "phone_2", "Phone 2", "text"),
        field(4, "child_1", "Child 1", "text"),
    ];
    for (header, expected) in [
        ("Name,address_1,address_2", "name address_1 address_2"),
        ("Name,Address-2:,ADDRESS 1", "name address_2 address_1"),
        ("Name,Second address", "name address_2"),
        ("Name,Address 3", "name -"),
        ("Name,Phone", "name phone"),
        ("Name,Phone,Phone 2,Phone 3", "name phone phone_2 phone"),
        ("Name,Child,Child 1,Child 2", "name - child_1 -"),
    ] {
        assert_eq!(targets(&format!("{header}\n"), &fields).join(" "), expected, "{header}");
    }
}

#[test]
fn cells_decide_what_names_do_not_say() {
    for (file, expected) in [
        (
            "Maya,0501234567,maya@example.com\nOmar,0501234568,omar@example.com\n",
            "name phone email",
        ),
        ("Who;Reach\nMaya;050 123 4567\n", "- phone"),
        ("Contact,Name\n+971501234567,Maya\n", "phone name"),
        ("Mobile,Phone\nyes,0501234567\nno,0501234568\n", "- phone"),
        ("Kundennummer;Name\n123456789;Maya\n", "- name"),
        ("Name,Date\nMaya,2026-11-20\n", "name -"),
        ("Who,Reach\nMaya,971 50 123 4567\n", "- phone"),
        ("Who,Reach\nMaya,+442079460000\n", "- phone"),
        ("Who,Reach,Phone\nMaya,0501234567,\n", "- - phone"),
        ("Who,Business Fax\nMaya,043330000\n", "- -"),
        ("Who,LEID\nMaya,501234567\n", "- -"),
        // Another country's without its plus, an Emirates ID, an address of the internet, a card.
        ("Who,Ref\nMaya,12125550123\n", "- -"),
        ("Who,Ref\nMaya,784-1990-1234567-1\n", "- -"),
        ("Who,Ref\nMaya,198.51.100.27\n", "- -"),
        ("Who,Ref\nMaya,4111 1111 1111 1111\n", "- -"),
        ("Name,Lead Status\nMaya,new\n", "name stage"),
        ("Name,Lead Status\nMaya,new\nOmar,OPEN_DEAL\n", "name -"),
    ] {
        assert_eq!(targets(file, &fields()).join(" "), expected, "{file}");
    }
    let file = "Name,Birthday,Visits\nMaya,03/04/1990,1\nOmar,11/20/1990,\"1,5\"\n";
    let mapping = suggested_mapping(file, &fields());
    assert_eq!(to_value(mapping.dates).unwrap(), "month_first");
    assert_eq!(to_value(mapping.decimals).unwrap(), "comma");
}

/// The values of the first row behind the header, by the suggested mapping.
fn row(file: &str) -> Result<Value, Vec<RowError>> {
    let fields = fields();
    let dialect = detect_dialect(file.as_bytes()).unwrap();
    let context = context(&dialect, &fields);
    let samples = records(file.as_bytes(), true, &context, 20);
    let mut mapping = suggest(&samples, &stages(), &context);
    mapping.currency = "AED".parse().ok();
    Row::of(&samples[0], &mapping, &context).map(|row| to_value(row).unwrap())
}

#[test]
fn a_row_becomes_a_contacts_values() {
    let file = "First name,Last name,Phone,Phone 2,Email,Language,Tags,Level,Visits,Birthday,VIP,City,Stage,Owner,Source,Value,Consent,\
                Consent date\n\
                Maya,Haddad,050 123 4567; 04 333 0000,+971501234567,MAYA@example.com,Arabic,\"VIP, vip;Regular\",gold,\"1.234,5\",\
                20.11.1990,yes,\"Street 5\n Dubai\",New,omar@saffron.example,Fair,\"1,500.50\",oui,2026-11-20\n";
    let expected = json!({
        "name": "Maya Haddad", "phones": ["+971501234567", "+97143330000"], "emails": ["maya@example.com"], "language": "ar",
        "tags": ["VIP", "Regular"],
        "fields": {"level": "gold", "visits": 1234.5, "birthday": "1990-11-20", "vip": true, "city": "Street 5 Dubai"},
        "stage": "New", "owner": "omar@saffron.example", "source": "Fair",
        "value": {"amount": 150_050, "currency": "AED"}, "opted_in": true, "opted_in_at": "2026-11-20",
    });
    assert_eq!(row(file).unwrap(), expected);
}

#[test]
fn consent_is_yes_or_no_or_a_day() {
    let consent = |cells: &str| {
        let row = row(&format!("Name,Consent,Consent date\nMaya,{cells}\n")).unwrap();
        (row["opted_in"].clone(), row["opted_in_at"].clone())
    };
    assert_eq!(consent("yes,"), (json!(true), json!(null)));
    assert_eq!(consent(",2026-11-20"), (json!(true), json!("2026-11-20")));
    assert_eq!(consent("no,2026-11-20"), (json!(false), json!(null)));
    assert_eq!(consent(","), (json!(null), json!(null)));
}

/// A column of a channel speaks of that channel, and a day says nothing of channels.
#[test]
fn consent_is_of_the_channel_in_its_column() {
    for (header, cells, mut expected) in [
        ("SMS Opt In", "yes", json!({"opted_in_sms": "yes"})),
        ("SMS Opt In", "UNSUBSCRIBED", json!({"opted_in_sms": "unsubscribed"})),
        ("SMS Opt In", "maybe", json!({})),
        ("SMS Opt Out", "TRUE", json!({"opted_in_sms": "unsubscribed"})),
        ("SMS Opt Out", "FALSE", json!({})),
        (
            "SMS Opt In,SMS Opt Out",
            "yes,yes",
            json!({"opted_in_sms": "unsubscribed"}),
        ),
        (
            "AllowBroadcast,AllowSMS",
            "TRUE,FALSE",
            json!({"opted_in_whatsapp": "yes", "opted_in_sms": "no"}),
        ),
        (
            "WhatsApp Opted In,Opt-in date",
            ",2026-11-20",
            json!({"opted_in_at": "2026-11-20"}),
        ),
        (
            "WhatsApp Opted In,Opt-in date",
            "pending,2026-11-20",
            json!({"opted_in_whatsapp": "unknown"}),
        ),
        ("Consent", "Unsubscribed", json!({"opted_in": false})),
        ("Email Marketing Consent,Accepts Marketing", "SUBSCRIBED,yes", json!({})),
    ] {
        let row = row(&format!("Name,{header}\nMaya,{cells}\n")).unwrap();
        expected["name"] = json!("Maya");
        assert_eq!(row, expected, "{header}: {cells}");
    }
}

#[test]
fn errors_name_row_column_and_remedy() {
    let errors = row("Name,Email,Phone,Level\nMaya,maya@example.com,9.71501E+11,Bronze\n").unwrap_err();
    assert_eq!(
        (errors.len(), errors[0].row, errors[0].column.as_deref()),
        (1, 2, Some("Phone"))
    );
    assert!(
        errors[0].detail.contains("Format the column as text"),
        "{}",
        errors[0].detail
    );
    let nobody = row("Name,Phone,City\n,,Dubai\n").unwrap_err();
    assert_eq!((nobody.len(), &nobody[0].column), (1, &None));
    let many: Vec<String> = (0..21).map(|tag| format!("t{tag}")).collect();
    let many = row(&format!("Name,Tags\nMaya,{}\n", many.join(";"))).unwrap();
    assert_eq!(many["tags"].as_array().unwrap().len(), 20);
    assert!(
        many["remarks"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("at most 20 tags")
    );
}

/// Whatever the further ones are: address books have more columns.
#[test]
fn a_row_takes_its_first_four_numbers() {
    let four = "0501234561;0501234562;0501234563,0501234564";
    for further in ["0501234565", "04 333 0000 ext. 12"] {
        let cells = four.replace(',', &format!(",{further},"));
        let row = row(&format!("Name,Phone,Work phone,Mobile\nMaya,{cells}\n")).unwrap();
        let expected = ["+971501234564", "+971501234561", "+971501234562", "+971501234563"];
        assert_eq!(row["phones"], json!(expected), "{further}");
        let remark = &row["remarks"][0];
        assert_eq!(remark["column"], "Work phone");
        assert!(
            remark["detail"]
                .as_str()
                .unwrap()
                .contains("at most 4 telephone numbers"),
            "{remark}"
        );
    }
}

#[test]
fn columns_of_consent_that_are_left_out_are_named() {
    let file = "Name,Email Marketing Consent,SMS Consent,Accepts Marketing,Email Opt Out,Newsletter Email,SMS Consent Date\n\
                Maya,NEVER_SUBSCRIBED,yes,no,,maya@example.com,2026-11-20\n";
    let (dialect, fields) = (detect_dialect(file.as_bytes()).unwrap(), fields());
    let context = context(&dialect, &fields);
    let samples = records(file.as_bytes(), true, &context, 20);
    let mapping = suggest(&samples, &stages(), &context);
    let left_out = consents_left_out(&samples, &mapping, &context);
    assert_eq!(left_out, ["Email Marketing Consent", "Accepts Marketing"]);
    assert!(
        mapping.has(&Target::Email),
        "an address is one, whatever its column is called"
    );
}

/// Unreadable values in other columns are left out, with a remark.
#[test]
fn only_who_it_is_refuses_a_row() {
    let file = "Name,Phone,Email,Level,Visits,Birthday,VIP,Value,Consent date,Consent,Language\n\
                Maya,0501234567,maya@,Bronze,many,0/0/00,perhaps,lots,0000-00-00,who knows,Klingonish\n";
    let mut read = row(file).unwrap();
    let remarks: Vec<Value> = from_value(read["remarks"].take()).unwrap();
    let said = |remark: &Value| json!([remark["column"], remark["code"], remark["facts"]["expected"]]);
    let expected = json!([
        ["Level", "not_one_of", ["Silver", "Gold"]],
        ["Visits", "format", "number"],
        ["Birthday", "format", "date"],
        ["VIP", "format", "yes_no"],
        ["Value", "format", "price"],
        ["Consent date", "format", "date"],
        ["Consent", "format", "yes_no"],
        ["Language", "format", "language"],
        ["Email", "format", "email"],
    ]);
    assert_eq!(remarks.iter().map(said).collect::<Value>(), expected);
    let is_left_out = |detail: &Value| detail.as_str().unwrap().ends_with("The cell was left out.");
    assert!(
        remarks
            .iter()
            .all(|remark| remark["row"] == 2 && is_left_out(&remark["detail"]))
    );
    let no_option = "“Bronze” is not an option of the field. Write one of: Silver, Gold. The cell was left out.";
    assert_eq!(remarks[0]["detail"], no_option);
    // Nobody agreed by a cell that cannot be read.
    let expected =
        json!({"name": "Maya", "phones": ["+971501234567"], "opted_in": false, "fields": {}, "remarks": null});
    read.as_object_mut()
        .unwrap()
        .entry("fields")
        .or_insert_with(|| json!({}));
    assert_eq!(read, expected);
    let alone = row("Name,Email\nMaya,maya@\n").unwrap_err();
    assert_eq!(alone[0].column.as_deref(), Some("Email"));
    let facts = json!({"one": "+97144127550", "other": "+97144127558"});
    for (phone, code, facts) in [
        ("9.71501E+11", "shortened", json!({})),
        ("04 123 4567 ext. 12", "extension", json!({})),
        ("04 412 7550/8", "two_meanings", facts),
        ("", "requires", json!({"others": ["name", "phone", "email"]})),
    ] {
        let error = &to_value(row(&format!("Phone,City\n{phone},Dubai\n")).unwrap_err()).unwrap()[0];
        assert_eq!((&error["code"], &error["facts"]), (&json!(code), &facts), "{phone}");
    }
}

#[test]
fn cells_of_programs_are_read_as_people_mean_them() {
    let file = "First Name,Middle Name,Last Name,Phone,Birthday,City,Labels,Stage\n\
                Maya,Layla,Haddad,\"=\"\"0501234567\"\"\",05-Mar-1990,N/A,Regular ::: * myContacts,NULL\n";
    let expected = json!({
        "name": "Maya Layla Haddad", "phones": ["+971501234567"], "tags": ["Regular"], "fields": {"birthday": "1990-03-05"},
    });
    assert_eq!(row(file).unwrap(), expected);
    for (cell, day) in [
        ("March 5, 1990", "1990-03-05"),
        ("5 مارس 1990", "1990-03-05"),
        ("5-MAR-1990 10:00", "1990-03-05"),
    ] {
        let row = row(&format!("Name,Birthday\nMaya,\"{cell}\"\n")).unwrap();
        assert_eq!(row["fields"]["birthday"], day, "{cell}");
    }
    for cell in ["--04-12", "05-Mar-90", "Mar 1990", "31-Feb-1990"] {
        let row = row(&format!("Name,Birthday\nMaya,{cell}\n")).unwrap();
        assert_eq!(row["remarks"][0]["column"], "Birthday", "{cell}");
    }
    assert_eq!(row("Name,Consent\nMaya,-\n").unwrap()["opted_in"], false);
    assert_eq!(row("Name,Consent\nMaya,N/A\n").unwrap()["opted_in"], json!(null));
}

/// Of national numbers only. The calling code beside them counts before the person's country, which counts if they fit it.
#[test]
fn national_numbers_are_of_the_country_in_their_row() {
    for (header, cells, number) in [
        ("Country Code,Phone", "966,502425874", "+966502425874"),
        ("Country Code,Phone", "+966,0502425874", "+966502425874"),
        ("Phone,CountryCode", "966502425874,966", "+966502425874"),
        ("Country Code,Phone", "966.0,502425874", "+966502425874"),
        ("Country Code,Phone", "966,+971501234567", "+971501234567"),
        ("Country Code,Phone", "966,00971501234567", "+971501234567"),
        ("Country Code,Country,Phone", "966,Germany,502425874", "+966502425874"),
        ("Country,Phone", "Saudi Arabia,0502425874", "+966502425874"),
        ("Country,Phone", "DE,0171 1234567", "+491711234567"),
        ("Country,Phone", "Germany,050 123 4567", "+971501234567"),
        ("Country,Phone", "Atlantis,050 123 4567", "+971501234567"),
    ] {
        let read = row(&format!("Name,{header}\nMaya,{cells}\n")).unwrap();
        assert_eq!(read["phones"], json!([number]), "{cells}");
        assert_eq!(read["remarks"], json!(null), "{cells}");
    }
    let read = row("Name,Country Code,Phone\nMaya,Dubai,050 123 4567\n").unwrap();
    assert_eq!(
        (&read["phones"][0], &read["remarks"][0]["column"]),
        (&json!("+971501234567"), &json!("Country Code"))
    );
    let strange = row("Name,Country Code,Phone\nMaya,9660,502425874\n").unwrap_err();
    assert!(
        strange[0].detail.contains("calling code cannot be read"),
        "{}",
        strange[0].detail
    );
    let wrong = row("Name,Country Code,Phone\nMaya,966,12345678\n").unwrap_err();
    assert!(wrong[0].detail.contains("in SA"), "{}", wrong[0].detail);
}

#[test]
fn a_preview_shows_rows_and_their_errors() {
    let file = "Name,Phone\nMaya,0501234567\nOmar,12\n\"x\nAli,0501234568";
    let dialect = detect_dialect(file.as_bytes()).unwrap();
    let context = context(&dialect, &[]);
    let mapping = suggest(&records(file.as_bytes(), true, &context, 20), &[], &context);
    let rows = |whole, most| preview(file.as_bytes(), whole, &mapping, &context, most);
    let all = rows(true, 10);
    let (maya, contact) = &all[0];
    assert_eq!((maya.row, maya.cells().collect()), (2, vec!["Maya", "0501234567"]));
    let expected = json!({"name": "Maya", "phones": ["+971501234567"]});
    assert_eq!(to_value(contact.as_ref().unwrap()).unwrap(), expected);
    let error = |row: usize| all[row].1.as_ref().unwrap_err()[0].clone();
    assert_eq!(error(1).column.as_deref(), Some("Phone"));
    assert_eq!(error(2).row, 4);
    assert_eq!(all.len(), 3, "the file is damaged there");
    assert_eq!(rows(true, 1).len(), 1);
    assert_eq!(rows(false, 10).len(), 2, "the last record may be cut");
}

proptest! {
    #[test]
    fn any_cells_are_values_or_short_errors(
        cells in prop::collection::vec(prop_oneof!["\\PC{0,60}", "[-+0-9.,;@a-c /:]{0,40}", Just("x".repeat(3_000))], 0..20),
        names in prop::collection::vec(prop_oneof![
            prop::sample::select(vec!["Name", "Phone", "Email", "Tags", "Level", "Visits", "Birthday", "VIP", "City", "Value", "Owner"])
                .prop_map(str::to_owned),
            "\\PC{0,20}",
        ], 1..20),
    ) {
        let fields = fields();
        let header = "Name,Phone\n";
        let mut dialect = detect_dialect(header.as_bytes()).unwrap();
        dialect.header = names;
        dialect.columns = dialect.header.len();
        let record = Record::of(7, 9, cells.iter().map(String::as_str));
        let samples = std::slice::from_ref(&record);
        let mapping = suggest(samples, &stages(), &context(&dialect, &fields));
        numbers_left_out(samples, &mapping, &context(&dialect, &fields));
        let json = to_value(&mapping).unwrap();
        prop_assert_eq!(&from_value::<Mapping>(json).unwrap(), &mapping);
        if let Err(errors) = Row::of(&record, &mapping, &context(&dialect, &fields)) {
            prop_assert!((1..=MAX_ERRORS).contains(&errors.len()));
            for error in errors {
                prop_assert_eq!(error.row, 7);
                prop_assert!(error.detail.chars().count() <= 300, "{}", error.detail);
            }
        }
    }
}
