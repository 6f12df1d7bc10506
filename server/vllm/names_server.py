"""What routes, accounting, adapter loading and slots rely upon (contract.py says how an entry is read)."""

_OPENAI = "vllm.entrypoints.openai"

SERVER = (
    # Entry points: the groups by which vLLM finds us, and what it calls.
    "vllm.plugins:load_general_plugins()",
    "vllm.plugins:load_endpoint_plugins(supported_tasks)",
    "vllm.plugins.endpoint_plugins.interface:EndpointPlugin.attach_router(app)",
    "vllm.plugins.endpoint_plugins.interface:EndpointPlugin.init_state(engine_client, state, args)",
    "vllm.entrypoints.launchers.api_server.entry:main()",
    "vllm.entrypoints.launchers.api_server.entry:run_server_worker(listen_address, sock, args)",
    "vllm.entrypoints.launchers.app:build_app(args, supported_tasks, model_config)",
    "vllm.entrypoints.launchers.api_server.app_state:init_app_state(engine_client, state, args, supported_tasks)",
    "vllm.entrypoints.serve.middleware.register:init_entrypoints_middleware(args, app)",
    # Routes: called with a body of ours, asked for one exact revision.
    f"{_OPENAI}.completion.api_router:create_completion(request, raw_request)",
    f"{_OPENAI}.chat_completion.api_router:create_chat_completion(request, raw_request)",
    f"{_OPENAI}.completion.protocol:CompletionRequest{{model, prompt, n, max_tokens, stream, user, temperature, "
    "use_beam_search, structured_outputs, response_format, extract_structured_outputs}",
    f"{_OPENAI}.chat_completion.protocol:ChatCompletionRequest{{model, messages, n, max_tokens, "
    "max_completion_tokens, stream, user, temperature, use_beam_search, structured_outputs, response_format}",
    # The engine's client, and the serving classes that we give a measured one.
    "vllm.v1.engine.async_llm:AsyncLLM.generate(prompt, sampling_params, request_id, lora_request)",
    "vllm.v1.engine.async_llm:AsyncLLM.add_lora(lora_request)",
    "vllm.v1.engine.async_llm:AsyncLLM.remove_lora(lora_id)",
    "vllm.v1.engine.async_llm:AsyncLLM.collective_rpc(method, args)",
    "vllm.v1.engine.async_llm:AsyncLLM{errored, check_admission}",
    "vllm.v1.engine.async_llm:AsyncLLM.self.output_processor",
    "vllm.v1.engine.output_processor:OutputProcessor.self.request_states",
    "vllm.entrypoints.generate.base.serving:GenerateBaseServing.self.engine_client",
    f"{_OPENAI}.models.serving:OpenAIServingModels.self.lora_requests",
    f"{_OPENAI}.models.serving:OpenAIServingModels.self.lora_id_counter",
    "vllm.lora.request:LoRARequest(lora_name, lora_int_id, lora_path)",
    "vllm.outputs:RequestOutput{prompt_token_ids, outputs, metrics, num_cached_tokens}",
    "vllm.outputs:CompletionOutput{index, token_ids, finish_reason}",
    "vllm.sampling_params:SamplingParams{output_kind, max_tokens, n, structured_outputs}",
    "vllm.sampling_params:RequestOutputKind.DELTA",
    "vllm.v1.metrics.stats:RequestStateStats{num_generation_tokens, first_token_latency, queued_ts, scheduled_ts, "
    "first_token_ts, last_token_ts}",
    "vllm.v1.metrics.prometheus:get_prometheus_registry()",
    "vllm.exceptions:VLLMClientError",
    "vllm.exceptions:VLLMValidationError(message, parameter)",
    "vllm.entrypoints.serve.exception_handling.utils:sanitize_message(message)",
    "vllm.entrypoints.launchers.launcher:serve_http(app)",
    # A failure in a stream (streams.py), and how constraints are tried (structured/check.py).
    "vllm.entrypoints.generate.base.serving:GenerateBaseServing.create_streaming_error_response(message)",
    "vllm.v1.structured_output.utils:compile_regex_with_timeout",
    "vllm.v1.structured_output.utils:grammar_is_likely_lark",
    "xgrammar:Grammar.from_json_schema(schema, any_whitespace, separators)",
    "xgrammar:Grammar.from_regex",
    "xgrammar:Grammar.from_ebnf",
    "xgrammar:Grammar.from_lark",
    # The text of an answer (detokenizer.py).
    "vllm.v1.engine.detokenizer:FastIncrementalDetokenizer(tokenizer, request)",
    "vllm.v1.engine.detokenizer:FastIncrementalDetokenizer.self.stream",
    # Slots and pins (vllm/slot_worker.py), in the worker.
    "vllm.lora.worker_manager:LRUCacheWorkerLoRAManager._apply_adapters(lora_requests)",
    "vllm.lora.worker_manager:LRUCacheWorkerLoRAManager.add_adapter(lora_request)",
    "vllm.lora.worker_manager:LRUCacheWorkerLoRAManager.list_adapters()",
    "vllm.lora.worker_manager:LRUCacheWorkerLoRAManager.self._adapter_manager",
    "vllm.lora.model_manager:LRUCacheLoRAModelManager.activate_adapter(lora_id)",
    "vllm.lora.model_manager:LRUCacheLoRAModelManager.self.lora_index_to_id",
    "vllm.lora.model_manager:LRUCacheLoRAModelManager.self._active_adapters",
    "vllm.lora.model_manager:LRUCacheLoRAModelManager.self._registered_adapters",
    "vllm.lora.model_manager:LRUCacheLoRAModelManager.self.punica_wrapper_mapping",
)
