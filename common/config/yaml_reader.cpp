#include "common/config/yaml_reader.hpp"

#include "common/text/ascii.hpp"
#include "common/text/utf8.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

namespace device_streams {

namespace {

/// Builds the tree from the parser's events. Throws YAML::ParserException, so that every fault has its mark.
class TreeBuilder final : public YAML::EventHandler {
 public:
    TreeBuilder(std::string_view text, const YamlLimits& limits) : text_(text), limits_(limits) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) throw YAML::ParserException(mark, "a second document (---), allowed: one");
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        add(make(YamlNode::Kind::nothing, mark));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw YAML::ParserException(mark, "an alias (*), allowed: values written out");
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (tag == "!") require_end_quote(mark);
        auto node = make(YamlNode::Kind::scalar, mark);
        node.text = text;
        add(std::move(node));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        begin(YamlNode::Kind::list, mark, tag, anchor);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        begin(YamlNode::Kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override { end(); }

    YamlNode take() { return std::move(root_); }

 private:
    struct Open {
        YamlNode node;
        std::optional<YamlNode> key;  // of a map, waiting for its value
    };

    YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
        if (++nodes_ > limits_.nodes) throw YAML::ParserException(mark, "too many values");
        YamlNode node;
        node.kind = kind;
        node.line = mark.line + 1;
        node.column = mark.column + 1;
        return node;
    }

    void begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        const bool is_key = !open_.empty() && open_.back().node.kind == YamlNode::Kind::map && !open_.back().key;
        if (is_key) throw YAML::ParserException(mark, "a list or map as key, allowed: a word");
        if (open_.size() >= limits_.depth) throw YAML::ParserException(mark, "nested too deeply");
        open_.push_back({make(kind, mark), std::nullopt});
    }

    void end() {
        auto node = std::move(open_.back().node);
        open_.pop_back();
        add(std::move(node));
    }

    void add(YamlNode node) {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        auto& [parent, key] = open_.back();
        if (parent.kind == YamlNode::Kind::list) {
            parent.items.push_back(std::move(node));
        } else if (!key) {
            key = std::move(node);
        } else {
            // Without a value the place of the key is all there is.
            if (node.kind == YamlNode::Kind::nothing)
                std::tie(node.line, node.column) = std::tie(key->line, key->column);
            parent.entries.push_back({std::move(*key), std::move(node)});
            key.reset();
        }
    }

    static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) throw YAML::ParserException(mark, "an anchor (&), allowed: values written out");
    }
    static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        const bool none = tag.empty() || tag == "?" || tag == "!";  // plain and quoted
        if (!none) throw YAML::ParserException(mark, "a tag (!), allowed: plain values");
    }

    /// The parser forgives a quote that never ends; a strict reader must not.
    void require_end_quote(const YAML::Mark& mark) const {
        const auto line = text_.substr(std::min(static_cast<std::size_t>(mark.pos), text_.size()));
        const char quote = line.empty() ? '\0' : line.front();
        if (quote != '"' && quote != '\'') return;  // a block scalar
        for (std::size_t i = 1; i < line.size() && line[i] != '\n'; ++i) {
            if (line[i] == quote) return;
            if (quote == '"' && line[i] == '\\') ++i;
        }
        throw YAML::ParserException(mark, "a quote without its end, allowed: quotes that end in their line");
    }

    const std::string_view text_;
    const YamlLimits& limits_;
    std::vector<Open> open_;
    YamlNode root_;
    std::size_t nodes_ = 0;
    int documents_ = 0;
};

/// The parser takes some control characters for the end of the file: what follows would be dropped without a word.
std::size_t find_control_character(std::string_view text) {
    const auto bad = std::ranges::find_if(
        text, [](char c) { return is_control_character(c) && c != '\n' && c != '\r' && c != '\t'; });
    return bad == text.end() ? std::string_view::npos : static_cast<std::size_t>(bad - text.begin());
}

SourceLocation place_of(std::size_t position, std::string_view text, const std::string& source) {
    const auto before = text.substr(0, position);
    const auto line = 1 + std::ranges::count(before, '\n');
    const auto line_start = before.rfind('\n') + 1;  // 0 in the first line, as npos + 1
    return {source, static_cast<int>(line), static_cast<int>(1 + position - line_start)};
}

/// True after adding a fault for what the parser would misread.
bool refuse_text(std::string_view text, const std::string& source, const YamlLimits& limits, Faults& faults) {
    if (text.size() > limits.bytes) {
        faults.add({source}, "", "too long, allowed: " + std::to_string(limits.bytes) + " bytes");
    } else if (const auto control = find_control_character(text); control != std::string_view::npos) {
        faults.add(place_of(control, text, source), "", "a control character, allowed: text");
    } else if (const auto invalid = find_invalid_utf8(text); invalid != std::string_view::npos) {
        faults.add(place_of(invalid, text, source), "", "not UTF-8, allowed: UTF-8 text");
    } else {
        return false;
    }
    return true;
}

}  // namespace

std::optional<YamlNode> parse_yaml(std::string_view text, const std::string& source, Faults& faults,
                                   const YamlLimits& limits) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    if (refuse_text(text, source, limits, faults)) return std::nullopt;
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        TreeBuilder tree(text, limits);
        while (parser.HandleNextDocument(tree)) continue;
        auto root = tree.take();
        if (root.kind == YamlNode::Kind::nothing) root.kind = YamlNode::Kind::map;
        return root;
    } catch (const YAML::Exception& wrong) {
        const auto& mark = wrong.mark;
        if (mark.is_null()) {
            faults.add({source}, "", "not YAML: " + wrong.msg);
        } else {
            faults.add({source, mark.line + 1, mark.column + 1}, "", "not YAML as it is used here: " + wrong.msg);
        }
    } catch (const std::exception& wrong) {
        faults.add({source}, "", std::string("not YAML: ") + wrong.what());
    }
    return std::nullopt;
}

}  // namespace device_streams
