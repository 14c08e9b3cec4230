import litellm

answer = litellm.completion(
    model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}], mock_response="hello yourself"
)
print(answer.choices[0].message.content, answer.model)
print(litellm.get_llm_provider("claude-3-haiku-20240307")[1], len(litellm.model_cost) > 500)
print(litellm.token_counter(model="gpt-4", text="four words are here") > 2)
