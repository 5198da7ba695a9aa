use super::*;

#[test]
fn commands_go_on_while_a_quote_is_open_and_output_goes_to_the_next_command() {
    let text = "Text.\n\n```console\n$ headwater serve --dev\nlistening\n\n$ curl a -d '\n  one;\n  two;'\n{\"lsn\":1}\n$ curl b\nx\ny\n```\n\nMore.\n\n```sh\n$ curl c\n```\n";
    let found = examples(text);
    assert_eq!(
        found,
        [
            Example {
                command: "curl a -d '\n  one;\n  two;'".to_string(),
                expected: "{\"lsn\":1}".to_string()
            },
            Example { command: "curl b".to_string(), expected: "x\ny".to_string() },
        ]
    );
}
