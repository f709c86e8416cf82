# SPDX-License-Identifier: MIT
"""Conversations as the reference library writes them, with templates of our own in the
formats that are well known."""

ALTERNATE = ("{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
             "{{ raise_exception('roles must alternate') }}{% endif %}")
CHATML = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n'"
          " + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
DEFAULT = "You are a helper.\\nBe brief."
TEMPLATES = {
    "ChatML": [CHATML, "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\n"
               + DEFAULT + "<|im_end|>\\n' }}{% endif %}" + CHATML],
    "Llama 2": [
        "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}"
        "{% set start = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' %}"
        "{% else %}{% set rest = messages %}{% set start = '' %}{% endif %}"
        "{% for message in rest %}" + ALTERNATE +
        "{% set content = (start if loop.index0 == 0 else '') + message['content'] %}"
        "{% if message['role'] == 'user' %}"
        "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
        "{% else %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"],
    "Llama 3": [
        "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>'"
        " + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim"
        " + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}"
        "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"],
    "Gemma": [
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
        "{{ raise_exception('no system role') }}{% endif %}{% for message in messages %}"
        + ALTERNATE +
        "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user')"
        " + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}",
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
        "{% set first_user_prefix = messages[0]['content'] + '\\n\\n' %}"
        "{% set rest = messages[1:] %}{% else %}{% set first_user_prefix = '' %}"
        "{% set rest = messages %}{% endif %}{% for message in rest %}" + ALTERNATE +
        "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user')"
        " + '\\n' + (first_user_prefix if loop.first else '') + message['content'] | trim"
        " + '<end_of_turn>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"],
}
WORDS = ["Hello!", "  padded \n", "two\n\nlines", "\u4f60\u597d \U0001f600", "{{ x }} {% y %}",
         "<|im_end|>", "\u00a0edge\u3000", "\x1c\x1dodd\x1f", "", "it's \"quoted\" \\n"]


def conversations():
    for i, word in enumerate(WORDS):
        other = WORDS[(i + 3) % len(WORDS)]
        yield [("user", word)]
        yield [("system", other), ("user", word)]
        yield [("user", word), ("assistant", other), ("user", "More?")]
        yield [("system", word), ("user", other), ("assistant", word)]
    yield [("assistant", "I begin.")]
    yield [("user", "one"), ("user", "two")]
    yield [("system", "alone")]


def render(tokenizer, template, messages, prompt):
    """The text; None where the template refuses the conversation."""
    import jinja2
    talk = [{"role": role, "content": content} for role, content in messages]
    try:
        return tokenizer.apply_chat_template(talk, chat_template=template, tokenize=False,
                                             add_generation_prompt=prompt)
    except jinja2.exceptions.TemplateError:
        return None


def make(tokenizers):
    import transformers
    words = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words,
                                                     bos_token="<s>", eos_token="</s>")
    out = {"library": f"transformers {transformers.__version__}", "templates": []}
    for kind, templates in TEMPLATES.items():
        for template in templates:
            cases = [[messages, prompt, render(tokenizer, template, messages, prompt)]
                     for messages in conversations() for prompt in (False, True)]
            out["templates"].append({"kind": kind, "template": template, "cases": cases})
    return out
