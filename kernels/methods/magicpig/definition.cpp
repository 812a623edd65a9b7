// SPDX-License-Identifier: Apache-2.0
// MagicPIG, §4 of the paper, in double: which keys are sampled, and with what weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "kernels/methods/magicpig/given.hpp"
#include "kernels/methods/magicpig/probability.hpp"
#include "kernels/select/lsh/projections.hpp"

namespace attnscope::magicpig {
namespace {

class MagicPigDefinition final : public Definition {
 public:
  MagicPigDefinition(const AttentionInputs& host, const Settings& settings, std::vector<SideTensor> built)
      : host_(host), lsh_(settings.lsh), floor_(settings.floor), projections_(draw_projections(lsh_, dim())) {
    if (built.empty())
      make_centres();
    else
      given_.emplace(host, lsh_, std::move(built));
  }

  RowSelection select_row(const Row& row) const override {
    RowSelection selection;
    if (given_) selection.fault = check_queries(row);
    if (given_ && selection.fault.empty()) selection.fault = given_->fault(head_of(row), projections_);
    if (!selection.fault.empty()) return selection;

    const std::vector<bool> sampled = given_ ? look_up(row) : compare_codes(row);
    for (std::int64_t key = 0; key < host_.shape.kv_len; ++key)
      if (!is_indexed(key) || sampled[key]) selection.keys.push_back(static_cast<std::int32_t>(key));
    return selection;
  }

  RowTerms terms(const Row& row, std::span<const std::int32_t> keys) const override {
    const std::vector<double> q = query(row);
    RowTerms terms{.log_weight = std::vector<double>(keys.size())};
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!is_indexed(keys[i])) continue;
      const compose::Bounded weight = log_weight(cosine(q, key(row, keys[i]), centre(head_of(row))), lsh_, floor_);
      terms.log_weight[i] = weight.value;
      terms.logit_error = std::max(terms.logit_error, weight.error);
    }
    return terms;
  }

 private:
  std::int64_t dim() const { return host_.shape.head_dim; }
  std::int64_t row_number(const Row& row) const { return row.batch * host_.shape.q_heads + row.head; }
  std::int64_t head_of(const Row& row) const { return row_number(row) / host_.shape.group(); }
  bool is_indexed(std::int64_t key) const { return key >= lsh_.indexed.begin && key < lsh_.indexed.end; }

  std::vector<double> load(const void* tensor, std::int64_t row) const {
    std::vector<double> x(dim());
    compose::load(tensor, host_.shape.dtype, row * dim(), x);
    return x;
  }
  std::vector<double> query(const Row& row) const { return load(host_.q, row_number(row)); }
  std::vector<double> key(const Row& row, std::int64_t key) const {
    return load(host_.k, head_of(row) * host_.shape.kv_len + key);
  }
  std::span<const float> centre(std::int64_t head) const {
    return given_ ? given_->centre(head) : std::span<const float>(centres_).subspan(head * dim(), dim());
  }
  std::span<const float> projection(std::int64_t table, std::int64_t bit) const {
    return std::span<const float>(projections_).subspan((table * lsh_.bits + bit) * dim(), dim());
  }

  // The mean of the indexed keys, to the precision in which backends keep it.
  void make_centres() {
    const Shape& shape = host_.shape;
    centres_.resize(shape.batch * shape.kv_heads * dim());
    for (std::int64_t head = 0; head < shape.batch * shape.kv_heads && lsh_.centred; ++head) {
      std::vector<double> sum(dim());
      for (std::int64_t key = lsh_.indexed.begin; key < lsh_.indexed.end; ++key) {
        const std::vector<double> k = load(host_.k, head * shape.kv_len + key);
        for (std::int64_t c = 0; c < dim(); ++c) sum[c] += k[c];
      }
      for (std::int64_t c = 0; c < dim(); ++c)
        centres_[head * dim() + c] = static_cast<float>(sum[c] / static_cast<double>(lsh_.keys()));
    }
  }

  // Keys in the query's bucket of at least two tables.
  std::vector<bool> look_up(const Row& row) const {
    std::vector<bool> once(host_.shape.kv_len), twice(host_.shape.kv_len);
    for (std::int64_t table = 0; table < lsh_.tables; ++table)
      for (const std::int32_t key : given_->bucket(head_of(row), table, given_->query_code(row_number(row), table))) {
        if (once[key]) twice[key] = true;
        once[key] = true;
      }
    return twice;
  }

  // Keys whose code is the query's in at least two tables.
  std::vector<bool> compare_codes(const Row& row) const {
    const std::vector<double> q = query(row);
    std::vector<bool> positive(lsh_.projections()), sampled(host_.shape.kv_len);
    for (std::int64_t table = 0; table < lsh_.tables; ++table)
      for (std::int64_t bit = 0; bit < lsh_.bits; ++bit)
        positive[table * lsh_.bits + bit] = project(projection(table, bit), q, {}).value > 0;
    for (std::int64_t j = lsh_.indexed.begin; j < lsh_.indexed.end; ++j) {
      const std::vector<double> k = key(row, j);
      int matches = 0;
      for (std::int64_t table = 0; table < lsh_.tables && matches < 2; ++table) {
        std::int64_t bit = 0;
        while (bit < lsh_.bits && (project(projection(table, bit), k, centre(head_of(row))).value > 0) ==
                                      positive[table * lsh_.bits + bit])
          ++bit;
        matches += bit == lsh_.bits;
      }
      sampled[j] = matches == 2;
    }
    return sampled;
  }

  std::string check_queries(const Row& row) const {
    const std::vector<double> q = query(row);
    for (std::int64_t table = 0; table < lsh_.tables; ++table) {
      const std::uint16_t code = given_->query_code(row_number(row), table);
      if (code >= lsh_.buckets()) return fmt::format("query code {} of table {} has too many bits", code, table);
      for (std::int64_t bit = 0; bit < lsh_.bits; ++bit) {
        const compose::Bounded value = project(projection(table, bit), q, {});
        const bool set = code >> bit & 1;
        if (set ? value.high() <= 0 : value.low() > 0)
          return fmt::format("query code of table {}: bit {} is {}, but the projection is {:.6g}", table, bit,
                             set ? 1 : 0, value.value);
      }
    }
    return {};
  }

  // Of the query and the centred key; 0 where either vanishes. In single precision the differences from the centre and
  // the product err by Σ|q (k − c)| (dot_error + 2⁻²⁴), each squared norm by a factor of dot_error + 2·2⁻²⁴, hence a
  // norm by half of that; two roots, a product and a quotient round once each.
  compose::Bounded cosine(const std::vector<double>& q, const std::vector<double>& k,
                          std::span<const float> centre) const {
    double product = 0, magnitude = 0, q2 = 0, k2 = 0;
    for (std::int64_t c = 0; c < dim(); ++c) {
      const double x = k[c] - centre[c];
      product += q[c] * x;
      magnitude += std::abs(q[c] * x);
      q2 += q[c] * q[c];
      k2 += x * x;
    }
    if (q2 == 0 || k2 == 0) return {};
    const double norms = std::sqrt(q2 * k2), relative = compose::dot_error(dim());
    return {.value = product / norms,
            .error = (magnitude * (relative + 0x1p-24) + std::abs(product) * (relative + 6 * 0x1p-24)) / norms};
  }

  const AttentionInputs host_;
  const select::Lsh lsh_;
  const double floor_;
  const std::vector<float> projections_;
  std::optional<GivenTables> given_;
  std::vector<float> centres_;  // when nothing is given
};

}  // namespace

std::unique_ptr<const Definition> define(const AttentionInputs& host, const Settings& settings,
                                         std::vector<SideTensor> built) {
  return std::make_unique<const MagicPigDefinition>(host, settings, std::move(built));
}

}  // namespace attnscope::magicpig
