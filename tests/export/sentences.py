"""What a command that refuses says on stderr."""


def the_sentence(said: str) -> str:
    """Return the one sentence that ends a command.

    Before it a slow machine says what takes it so long, a line for each second or more.
    """
    *progress, sentence = said.splitlines()
    assert not any("pixie-export:" in line for line in progress), said
    return sentence
