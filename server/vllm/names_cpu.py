"""What the CPU's LoRA wrapper, kernels and mends rely upon (contract.py says how an entry is read)."""

_LAYERS = "vllm.model_executor.layers"
_MODELS = "vllm.model_executor.models"

CPU = (
    # wrapper.py
    "vllm.platforms:current_platform.get_punica_wrapper",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU(max_num_batched_tokens, max_batches, device)",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU._update_base_metadata"
    "(mapping, lora_index_to_id, max_loras, vocab_size)",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU.update_metadata"
    "(mapping, lora_index_to_id, max_loras, vocab_size)",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU.add_lora_linear"
    "(y, x, lora_a_stacked, lora_b_stacked, scale, output_slices)",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU.add_shrink(y, x, lora_a_stacked, scale)",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU.add_expand"
    "(y, x, lora_b_stacked, output_slices, offset_start, add_inputs)",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU.add_lora_embedding(y, x, lora_b_stacked, add_inputs)",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU.add_lora_logits(y, x, lora_a_stacked, lora_b_stacked, scale)",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU{token_lora_indices, sampler_indices}",
    "vllm.lora.punica_wrapper.punica_cpu:PunicaWrapperCPU.self.no_lora",
    # managers.py, lending.py, writes.py
    "vllm.lora.model_manager:LoRAModelManager.activate_adapter(lora_id)",
    "vllm.lora.model_manager:LoRAModelManager._deactivate_adapter(lora_id)",
    "vllm.lora.model_manager:LoRAModelManager.remove_all_adapters()",
    "vllm.lora.model_manager:LoRAModelManager._get_lora_layer_weights",
    "vllm.lora.model_manager:LoRAModelManager.self.modules",
    "vllm.lora.worker_manager:LRUCacheWorkerLoRAManager.add_adapter(lora_request)",
    "vllm.lora.layers.base:BaseLayerWithLoRA.reset_lora(index)",
    "vllm.lora.layers.base:BaseLayerWithLoRA.set_lora(index, lora_a, lora_b)",
    "vllm.lora.layers.base:BaseLayerWithLoRA.set_mapping(punica_wrapper)",
    "vllm.lora.layers.base_linear:BaseLinearLayerWithLoRA.apply(x, bias)",
    "vllm.lora.layers.base_linear:_get_lora_device(base_layer)",
    "vllm.lora.layers:ClassificationHeadWithLoRA",
    # linear.py, int8_linear.py, int8_embedding.py
    f"{_LAYERS}.utils:dispatch_cpu_unquantized_gemm(layer, remove_weight)",
    f"{_LAYERS}.utils:check_cpu_sgl_kernel",
    "vllm.model_executor.kernels.linear.scaled_mm.cpu:CPUInt8ScaledMMLinearKernel.process_weights_after_loading(layer)",
    "vllm.model_executor.kernels.linear.scaled_mm.cpu:CPUInt8ScaledMMLinearKernel.apply_weights(layer, x, bias)",
    f"{_LAYERS}.vocab_parallel_embedding:UnquantizedEmbeddingMethod.process_weights_after_loading(layer)",
    f"{_LAYERS}.vocab_parallel_embedding:UnquantizedEmbeddingMethod.embedding(layer)",
    # eager_ops.py
    f"{_LAYERS}.layernorm:RMSNorm.forward_native(x, residual)",
    f"{_LAYERS}.activation:SiluAndMul.forward_native",
    f"{_LAYERS}.rotary_embedding.base:RotaryEmbedding.forward_native(positions, query, key)",
    f"{_LAYERS}.rotary_embedding.base:RotaryEmbedding.forward_cpu(positions, query, key)",
    f"{_LAYERS}.attention:Attention",
    f"{_LAYERS}.attention:Attention.self.use_direct_call",
    "vllm.v1.sample.sampler:batched_count_greater_than",
    # greedy.py
    "vllm.v1.worker.gpu_model_runner:apply_grammar_bitmask(scheduler_output, grammar_output, input_batch, logits)",
    "vllm.v1.sample.sampler:Sampler.forward(logits, sampling_metadata)",
    "vllm.v1.sample.sampler:Sampler.self.logprobs_mode",
    "vllm.v1.sample.rejection_sampler:RejectionSampler.forward(metadata, draft_probs, logits, sampling_metadata)",
    "vllm.v1.sample.rejection_sampler:RejectionSampler.self.synthetic_mode",
    "vllm.v1.sample.metadata:SamplingMetadata",
    "vllm.v1.sample.logits_processor.builtin:LogitBiasLogitsProcessor.self.biases",
    "vllm.v1.sample.logits_processor.builtin:MinTokensLogitsProcessor.self.min_toks",
    "vllm.v1.outputs:LogprobsTensors",
    "vllm.v1.outputs:SamplerOutput",
    # step.py, decoder.py
    f"{_MODELS}.llama:LlamaModel.forward(input_ids, positions, intermediate_tensors, inputs_embeds)",
    f"{_MODELS}.qwen2:Qwen2Model.forward(input_ids, positions, intermediate_tensors, inputs_embeds)",
    f"{_MODELS}.llama:LlamaDecoderLayer",
    f"{_MODELS}.llama:LlamaAttention",
    f"{_MODELS}.llama:LlamaMLP",
    f"{_MODELS}.qwen3:Qwen3DecoderLayer",
    f"{_MODELS}.qwen3:Qwen3Attention",
    f"{_MODELS}.qwen2:Qwen2MLP",
    "vllm.forward_context:get_forward_context()",
    "vllm.forward_context:is_forward_context_available()",
    "vllm.config:get_current_vllm_config_or_none()",
    # server/vllm/seeds.py
    "vllm.v1.worker.gpu_model_runner:GPUModelRunner._sample(logits, spec_decode_metadata)",
    "vllm.v1.worker.gpu_model_runner:GPUModelRunner._bookkeeping_sync(scheduler_output, sampler_output)",
    "vllm.v1.worker.gpu_input_batch:InputBatch.self.generators",
    # server/drafts
    "vllm.v1.core.sched.scheduler:Scheduler.update_from_output(scheduler_output, model_runner_output)",
    "vllm.v1.core.sched.scheduler:Scheduler.update_draft_token_ids(draft_token_ids)",
    "vllm.v1.core.sched.scheduler:Scheduler._free_request(request)",
    "vllm.v1.core.sched.scheduler:Scheduler.self.num_spec_tokens",
    "vllm.v1.request:Request.self.spec_token_ids",
    "vllm.v1.structured_output:StructuredOutputManager.validate_tokens(request, spec_tokens)",
    "vllm.v1.structured_output.backend_xgrammar:XgrammarGrammar{matcher}",
    "vllm.sampling_params:SamplingParams._validate_spec_decode(speculative_config)",
    "vllm.v1.worker.gpu_model_runner:build_logitsprocs(vllm_config)",
    "vllm.v1.sample.rejection_sampler:RejectionSampler._get_logprobs_tensors"
    "(max_num_logprobs, metadata, logits, target_logits, bonus_logits, sampled_token_ids)",
    "vllm.v1.sample.rejection_sampler:expand_batch_to_tokens(x, cu_num_tokens, num_tokens, replace_from, replace_to)",
)
